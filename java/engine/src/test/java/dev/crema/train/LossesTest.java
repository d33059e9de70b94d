package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import dev.crema.op.Linear;
import dev.crema.op.Sigmoid;
import dev.crema.op.Softmax;
import org.junit.jupiter.api.Test;

/** Names of losses, which loss output and target suggest, and targets that do not fit. */
class LossesTest {
  @Test
  void namesAndShortNamesMeanTheSame() {
    for (String entry : Losses.NAMES) {
      String name = entry.replaceAll("[ \\[].*", "");
      Loss loss = Losses.of(name);
      assertThat(Losses.of(loss.name())).isEqualTo(loss);
      if (entry.contains("(")) {
        assertThat(Losses.of(entry.replaceAll(".*\\((.*)\\)", "$1"))).isEqualTo(loss);
      }
    }
    assertThat(Losses.of("huber:0.25").name()).isEqualTo("huber:0.25");
    assertThatThrownBy(() -> Losses.of("huber:x")).hasMessageContaining("huber:NUMBER");
    assertThatThrownBy(() -> Losses.of("huber:-1")).hasMessageContaining("above 0");
    assertThatThrownBy(() -> Losses.of("nonsense")).hasMessageContaining("binary_crossentropy");
    assertThatThrownBy(() -> Losses.of("mse").withLabelSmoothing(0.1))
        .hasMessageContaining("has no label smoothing");
    assertThatThrownBy(() -> Losses.of("bce").withLabelSmoothing(1)).hasMessageContaining("[0, 1)");
  }

  private static Dataset.Slot slot(ElementType type, long... shape) {
    return new Dataset.Slot("y", type, Shape.of(shape));
  }

  @Test
  void outputAndTargetSuggestALoss() {
    Graph g = new Graph();
    Node x = g.input("x", TensorType.batchOf(3));
    Node one = g.input("one", TensorType.batchOf(1));
    Dataset.Slot classes = slot(ElementType.INT32);
    assertThat(Losses.infer(x.then(new Softmax()), classes)).isEqualTo(Losses.of("scce"));
    assertThat(Losses.infer(x, classes)).isEqualTo(Losses.of("scce"));
    assertThat(Losses.infer(one.then(new Sigmoid()), classes)).isEqualTo(Losses.of("bce"));
    assertThat(Losses.infer(one, classes)).isEqualTo(Losses.of("bce_with_logits"));
    Dataset.Slot numbers = slot(ElementType.FLOAT32, 3);
    assertThat(Losses.infer(x.then(new Softmax()), numbers)).isEqualTo(Losses.of("cce"));
    assertThat(Losses.infer(x.then(new Sigmoid()), numbers)).isEqualTo(Losses.of("bce"));
    assertThat(Losses.infer(x, numbers)).isEqualTo(Losses.of("mse"));
  }

  @Test
  void targetsThatDoNotFitAreRefusedInWords() {
    TensorType three = TensorType.batchOf(3);
    TensorType one = TensorType.batchOf(1);
    assertThatThrownBy(() -> Losses.of("mse").target(three, slot(ElementType.INT32)))
        .isInstanceOf(CremaException.class)
        .hasMessage(
            "mean_squared_error expects a number (float32) for each output of a model that gives"
                + " [n, 3], but the data's target is [n] int32. Choose another loss, or change the"
                + " model's last layer.");
    assertThatThrownBy(() -> Losses.of("bce").target(three, slot(ElementType.INT32)))
        .hasMessageContaining("Give the last layer one unit, or use categorical_crossentropy.");
    assertThatThrownBy(() -> Losses.of("cce").target(one, slot(ElementType.INT32)))
        .hasMessageContaining("use binary_crossentropy");
    assertThatThrownBy(() -> Losses.of("cce").target(three, slot(ElementType.FLOAT32, 2)))
        .hasMessageContaining("[n, 2]");
    Graph g = new Graph();
    Node x = g.input("x", TensorType.batchOf(2));
    Node kernel = g.input("kernel", TensorType.of(2, 1));
    Node linear = x.then(new Linear(), kernel, null);
    Node t = g.input("t", TensorType.batchOf(1));
    assertThatThrownBy(() -> Losses.of("bce").build(linear, t, null))
        .hasMessageContaining("activation sigmoid");
    assertThatThrownBy(() -> Losses.of("mse").build(linear, t, new float[] {1, 2}))
        .hasMessageContaining("regression");
    assertThatThrownBy(() -> Losses.of("hinge").build(linear, t, new float[] {1}))
        .hasMessageContaining("expected 2 class weights, got 1");
  }
}
