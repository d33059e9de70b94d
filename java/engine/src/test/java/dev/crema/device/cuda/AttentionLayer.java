package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.memory.HalfPrecision;
import dev.crema.op.Attention;
import dev.crema.op.Cast;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.DoubleStream;

/**
 * Attention of 16-bit numbers at random with its gradients, and the same in float64.
 *
 * @param inside whether heads lie inside: q is [b, t, h, d] rather than [b, h, t, d]
 */
record AttentionLayer(
    ElementType type, boolean inside, boolean causal, int b, int h, int t, int s, int d, int e) {
  private static final List<String> INPUTS = List.of("q", "k", "v", "dy");
  private static final List<String> OUTPUTS = List.of("y", "dq", "dk", "dv");

  /** A plan with its outputs: y, dq, dk, dv. */
  record Running(Plan plan, List<Node> outputs) implements NearCards.Running {}

  private TensorType shape(int rows, int columns) {
    return inside ? TensorType.batchOf(rows, h, columns) : TensorType.batchOf(h, rows, columns);
  }

  private int[] extents(int input) { // rows, columns
    return switch (input) {
      case 0 -> new int[] {t, d};
      case 1 -> new int[] {s, d};
      case 2 -> new int[] {s, e};
      default -> new int[] {t, e};
    };
  }

  Running plan(Device device) {
    Graph graph = new Graph();
    List<Node> in = new ArrayList<>();
    List<Node> half = new ArrayList<>();
    for (int i = 0; i < INPUTS.size(); i++) {
      in.add(graph.input(INPUTS.get(i), shape(extents(i)[0], extents(i)[1])));
      half.add(in.get(i).then(new Cast(type)));
    }
    graph.beginLayer("heads");
    Node y =
        inside
            ? Attention.ofHeads(half.get(0), half.get(1), half.get(2), causal)
            : Attention.scaledDotProduct(half.get(0), half.get(1), half.get(2), causal);
    graph.endLayer();
    List<Node> of = half.subList(0, 3);
    Map<Node, Node> gradients = Autodiff.gradients(List.of(y), List.of(half.get(3)), of);
    List<Node> outputs = new ArrayList<>();
    outputs.add(y.then(new Cast(ElementType.FLOAT32)));
    of.forEach(each -> outputs.add(gradients.get(each).then(new Cast(ElementType.FLOAT32))));
    Plan plan =
        Plan.of(graph).outputs(outputs.toArray(Node[]::new)).capacity(b).device(device).build();
    return new Running(plan, outputs);
  }

  /** Numbers that the type holds. */
  private float[] values(int input) {
    Random random = new Random(11 + input);
    float[] all = new float[b * h * extents(input)[0] * extents(input)[1]];
    for (int i = 0; i < all.length; i++) {
      float value = (float) random.nextGaussian();
      all[i] =
          type == ElementType.BFLOAT16
              ? HalfPrecision.fromBfloat16(HalfPrecision.toBfloat16(value))
              : HalfPrecision.fromFloat16(HalfPrecision.toFloat16(value));
    }
    return all;
  }

  /** y, dq, dk, dv. */
  List<float[]> run(Running of, int batch) {
    for (int i = 0; i < INPUTS.size(); i++) {
      float[] values = values(i);
      CudaBench.write(of.plan().input(INPUTS.get(i)), values);
    }
    of.plan().run(batch);
    List<float[]> results = new ArrayList<>();
    for (Node output : of.outputs()) {
      FloatBuffer floats = of.plan().output(output).asFloatBuffer();
      float[] values = new float[floats.remaining() / b * batch];
      floats.get(0, values);
      results.add(values);
    }
    return results;
  }

  /** y, dq, dk, dv of the first examples. */
  List<double[]> reference(int batch) {
    float[] q = values(0);
    float[] k = values(1);
    float[] v = values(2);
    float[] dy = values(3);
    double scale = 1 / Math.sqrt(d);
    double[] y = new double[batch * h * t * e];
    double[] dq = new double[batch * h * t * d];
    double[] dk = new double[batch * h * s * d];
    double[] dv = new double[batch * h * s * e];
    for (int head = 0; head < batch * h; head++) {
      for (int i = 0; i < t; i++) {
        int seen = causal ? i + 1 : s;
        double[] weights = new double[seen];
        double sum = 0;
        for (int j = 0; j < seen; j++) {
          double score = 0;
          for (int c = 0; c < d; c++) {
            score += (double) q[at(head, i, c, t, d)] * k[at(head, j, c, s, d)];
          }
          weights[j] = Math.exp(score * scale);
          sum += weights[j];
        }
        double[] slopes = new double[seen];
        double mean = 0;
        for (int j = 0; j < seen; j++) {
          weights[j] /= sum;
          for (int c = 0; c < e; c++) {
            double flow = dy[at(head, i, c, t, e)];
            y[at(head, i, c, t, e)] += weights[j] * v[at(head, j, c, s, e)];
            dv[at(head, j, c, s, e)] += weights[j] * flow;
            slopes[j] += flow * v[at(head, j, c, s, e)];
          }
          mean += weights[j] * slopes[j];
        }
        for (int j = 0; j < seen; j++) {
          double slope = weights[j] * (slopes[j] - mean) * scale;
          for (int c = 0; c < d; c++) {
            dq[at(head, i, c, t, d)] += slope * k[at(head, j, c, s, d)];
            dk[at(head, j, c, s, d)] += slope * q[at(head, i, c, t, d)];
          }
        }
      }
    }
    return List.of(y, dq, dk, dv);
  }

  /**
   * Checks y, dq, dk, dv of the first examples against float64: weights and slopes are rounded to
   * the type before they are multiplied, results when they are stored.
   */
  void requireNear(List<float[]> actual, int batch) {
    List<double[]> expected = reference(batch);
    double ulp = type == ElementType.BFLOAT16 ? 1.0 / 128 : 1.0 / 1024;
    for (int i = 0; i < OUTPUTS.size(); i++) {
      assertThat(actual.get(i)).as(OUTPUTS.get(i)).hasSize(expected.get(i).length);
      double most = DoubleStream.of(expected.get(i)).map(Math::abs).max().orElseThrow();
      assertThat(most).isPositive();
      for (int j = 0; j < expected.get(i).length; j++) {
        assertThat((double) actual.get(i)[j])
            .as("%s, element %d of %s", OUTPUTS.get(i), j, this)
            .isCloseTo(expected.get(i)[j], within(2 * ulp * most));
      }
    }
  }

  /** Where a number of a head's row is. */
  private int at(int head, int row, int column, int rows, int columns) {
    int example = head / h;
    return inside
        ? ((example * rows + row) * h + head % h) * columns + column
        : (head * rows + row) * columns + column;
  }
}
