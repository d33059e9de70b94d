package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.device.KernelException;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SoftmaxTest {
  private static Array64 softmax(Array64 x) {
    int n = x.dim(-1);
    Array64 y = x.copy();
    for (int r = 0; r < x.size(); r += n) {
      double most = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < n; i++) {
        most = Math.max(most, x.values()[r + i]);
      }
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += Math.exp(x.values()[r + i] - most);
      }
      for (int i = 0; i < n; i++) {
        y.values()[r + i] = Math.exp(x.values()[r + i] - most) / sum;
      }
    }
    return y;
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 17", "2, 100", "33, 10"})
  void matchesTheReferenceAndFiniteDifferences(int rows, int columns) {
    OpCheck.of(new Softmax())
        .batched(Array64.gaussian(5, rows, columns))
        .forwardOne(in -> softmax(in[0]))
        .run();
  }

  @Test
  void hugeLogitsDoNotOverflow() {
    OpCheck.of(new Softmax())
        .batched(Array64.gaussian(5, 4, 1025).map(x -> (float) (x * 1000)))
        .forwardOne(in -> softmax(in[0]))
        .withoutGradient()
        .run();
  }

  /** Of a card's block, that is: 48 KB, of which arrays of the kernel take some. */
  @Test
  void rowsMayBeAsLongAsSharedMemory() {
    OpCheck.of(new Softmax())
        .batched(Array64.gaussian(5, 2, 12288))
        .forwardOne(in -> softmax(in[0]))
        .withoutGradient()
        .run();
  }

  @ParameterizedTest
  @CsvSource({"1, 2, 0", "7, 10, 0", "5, 33, 0.1", "64, 10, 0.2"})
  void crossEntropyOfLabelsMatchesTheReferenceAndFiniteDifferences(int n, int k, double smoothing) {
    OpCheck.of(new SoftmaxCrossEntropy(smoothing))
        .batched(Array64.gaussian(5, n, k))
        .data(Array64.integers(6, k, n), ElementType.INT32, true)
        .data(Array64.uniform(7, 0.5, 2, k), ElementType.FLOAT32, false)
        .forwardOne(
            in -> {
              Array64 p = softmax(in[0]);
              double loss = 0;
              double weights = 0;
              for (int r = 0; r < n; r++) {
                int label = (int) in[1].values()[r];
                double w = in[2].values()[label];
                for (int j = 0; j < k; j++) {
                  double t = (j == label ? 1 - smoothing : 0) + smoothing / k;
                  loss -= w * t * Math.log(p.values()[r * k + j]);
                }
                weights += w;
              }
              return Array64.zeros().map(new Fixed(loss / weights));
            })
        .tolerance(1e-5, 2e-5)
        .run();
  }

  private record Fixed(double value) implements java.util.function.DoubleUnaryOperator {
    @Override
    public double applyAsDouble(double ignored) {
      return value;
    }
  }

  @ParameterizedTest
  @CsvSource({"7, 10, 0", "5, 33, 0.1"})
  void crossEntropyOfProbabilitiesMatchesTheReferenceAndFiniteDifferences(
      int n, int k, double smoothing) {
    OpCheck.of(new SoftmaxCrossEntropy(smoothing))
        .batched(Array64.gaussian(5, n, k))
        .data(softmax(Array64.gaussian(6, n, k)).map(v -> (float) v), ElementType.FLOAT32, true)
        .data(Array64.uniform(7, 0.5, 2, k), ElementType.FLOAT32, false)
        .forwardOne(
            in -> {
              Array64 p = softmax(in[0]);
              double loss = 0;
              for (int i = 0; i < n * k; i++) {
                double t = (1 - smoothing) * in[1].values()[i] + smoothing / k;
                loss -= in[2].values()[i % k] * t * Math.log(p.values()[i]);
              }
              return Array64.zeros().map(new Fixed(loss / n));
            })
        .tolerance(1e-5, 2e-5)
        .run();
  }

  @Test
  void theLossOfEachExampleHasNoGradientAndSaysSo() {
    Graph g = new Graph();
    Node logits = g.input("logits", TensorType.batchOf(3));
    Node labels = g.input("labels", TensorType.batchOf(ElementType.INT32));
    Node each = g.add(new SoftmaxCrossEntropy(0), logits, labels, null).output(2);
    Node loss = ReduceMean.all(each);
    assertThatThrownBy(() -> Autodiff.gradients(loss, List.of(logits)))
        .hasMessageContaining("only the mean loss has a gradient");
    Node both = loss.then(new Add(), each.output(0));
    assertThatThrownBy(() -> Autodiff.gradients(both, List.of(logits)))
        .hasMessageContaining("only the mean loss has a gradient");
  }

  @Test
  void aLabelOutOfRangeIsNamed() {
    Graph g = new Graph();
    Node logits = g.input("logits", TensorType.batchOf(3));
    Node labels = g.input("labels", TensorType.batchOf(ElementType.INT32));
    Node loss = g.add(new SoftmaxCrossEntropy(0), logits, labels, null);
    try (Plan plan = Plan.of(g).outputs(loss).capacity(4).build()) {
      plan.input("labels").borrow(0, 16).asIntBuffer().put(2, 3);
      assertThatThrownBy(() -> plan.run(4))
          .isInstanceOf(KernelException.class)
          .hasMessage("SoftmaxCrossEntropy: label 3 of example 2 is outside [0, 3)");
      plan.run(2); // and it can run again
    }
  }
}
