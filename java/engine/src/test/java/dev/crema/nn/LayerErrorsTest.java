package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The mistakes that people make most, and what they are told. */
class LayerErrorsTest {
  private static void fails(String message, Symbol output, Symbol... inputs) {
    assertThatThrownBy(() -> Topology.of(List.of(inputs), List.of(output)).table())
        .isInstanceOf(ShapeException.class)
        .hasMessage(message);
  }

  @Test
  void anImageTooSmallForItsPooling() {
    Symbol x = Symbol.input("x", 4, 4, 1);
    fails(
        "max_pool2d_1 (MaxPool2d): a window of height 2 does not fit height 1 with padding 0 and 0."
            + " Use a smaller window or more padding. (input from conv2d_1 [n, 1, 1, 3])",
        x.then(Conv2d.of(3, 4)).then(MaxPool2d.of(2)),
        x);
  }

  @Test
  void anInputWithoutElements() {
    String message = " is empty: extents are at least 1";
    Symbol none = Symbol.input("x", 0);
    fails("An example of input 'x', [n, 0]," + message, none.then(Dense.of(3)), none);
    Symbol noSteps = Symbol.input("x", 5, 0);
    fails("An example of input 'x', [n, 5, 0]," + message, noSteps.then(Lstm.of(3)), noSteps);
  }

  @Test
  void flatFeaturesIntoAConvolution() {
    Symbol x = Symbol.input("x", 100);
    fails(
        "conv2d_1 (Conv2d): needs images [n, height, width, channels] but gets [n, 64] from"
            + " dense_1. Put a ReshapeTo(height, width, channels) before it.",
        x.then(Dense.of(64)).then(Conv2d.of(3, 3)),
        x);
  }

  @Test
  void numbersIntoAnEmbedding() {
    Symbol x = Symbol.input("x", 100);
    fails(
        "embedding_1 (Embedding): needs whole-number ids [n, ...] of type int32 or int64 but gets"
            + " [n, 100]. Declare the model's input as int32.",
        x.then(Embedding.of(10, 3)),
        x);
  }

  @Test
  void idsIntoADenseLayer() {
    Symbol x = Symbol.input("x", TensorType.batchOf(ElementType.INT32, 100));
    fails(
        "dense_1 (Dense): needs float32 but gets [n, 100] int32. Ids go through an Embedding"
            + " first.",
        x.then(Dense.of(3)),
        x);
  }

  @Test
  void aSharedLayerWithAnotherFeatureCount() {
    Symbol a = Symbol.input("a", 784);
    Symbol b = Symbol.input("b", 100);
    Dense tower = Dense.of(64);
    fails(
        "dense_2 (Dense): shares dense_1/kernel [784, 64] but would need it to be [100, 64]. Give"
            + " it an input of the shape that dense_1 gets, or a layer of its own.",
        new Concat().apply(tower.apply(a), tower.apply(b)),
        a,
        b);
  }

  @Test
  void mergesOfDifferentShapes() {
    Symbol a = Symbol.input("a", 4);
    Symbol b = a.then(Dense.of(5));
    fails(
        "add_1 (Add): needs inputs of one shape, [n, 4] as its first, but gets [n, 5] from dense_1."
            + " Bring it to that shape with a layer before it.",
        new Add().apply(a, b),
        a);
    fails(
        "concat_1 (Concat): needs inputs that are as [n, 4] except in axis 1 but gets [n, 2, 2]"
            + " from reshape_to_1. Bring it to that shape with a layer before it.",
        new Concat().apply(a, a.then(ReshapeTo.of(2, 2))),
        a);
  }

  @Test
  void aReshapeThatDoesNotFit() {
    Symbol x = Symbol.input("x", 100);
    fails(
        "reshape_to_1 (ReshapeTo): needs examples that fit the shape [28, 28] but gets [n, 100]. An"
            + " example has 100 elements; choose a shape with as many.",
        x.then(ReshapeTo.of(28, 28)),
        x);
  }

  @Test
  void groupsThatDoNotDivideTheChannels() {
    Symbol x = Symbol.input("x", 8, 8, 3);
    fails(
        "conv2d_1 (Conv2d): needs channels that divide into 2 groups but gets [n, 8, 8, 3]. Choose"
            + " groups that divide 3.",
        x.then(Conv2d.of(4, 3).withGroups(2)),
        x);
    Symbol y = Symbol.input("y", 8, 8, 4);
    fails(
        "conv2d_1 (Conv2d): 5 filters do not divide into 2 groups. Choose groups that divide both 4"
            + " and 5.",
        y.then(Conv2d.of(5, 3).withGroups(2)),
        y);
  }
}
