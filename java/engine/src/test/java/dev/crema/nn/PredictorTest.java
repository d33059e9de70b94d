package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PredictorTest {

  private static Model model() {
    return Model.sequential(5).dense(7, Activation.RELU).dense(3).build(7);
  }

  private static float[] example(long seed, int elements) {
    Random random = new Random(seed);
    float[] x = new float[elements];
    for (int i = 0; i < elements; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** Two dense layers in float64. */
  private static double[] reference(Model model, float[] x) {
    double[] h = dense(model, "dense_1", x.length, toDouble(x));
    for (int i = 0; i < h.length; i++) {
      h[i] = Math.max(0, h[i]);
    }
    return dense(model, "dense_2", h.length, h);
  }

  private static double[] toDouble(float[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i];
    }
    return y;
  }

  private static double[] dense(Model model, String layer, int in, double[] x) {
    float[] kernel = model.get(layer + "/kernel");
    float[] bias = model.get(layer + "/bias");
    double[] y = toDouble(bias);
    for (int u = 0; u < y.length; u++) {
      for (int i = 0; i < in; i++) {
        y[u] += x[i] * kernel[i * y.length + u];
      }
    }
    return y;
  }

  @Test
  void aPredictionIsThatOfTheLayers() {
    try (Model model = model()) {
      model.set("dense_1/bias", new float[] {1, -1, 0.5f, 0, 2, -2, 0.1f});
      float[] x = example(1, 5);
      float[] y = model.predict(x);
      double[] expected = reference(model, x);
      for (int i = 0; i < 3; i++) {
        assertThat((double) y[i]).isCloseTo(expected[i], within(1e-5));
      }
    }
  }

  @Test
  void batchesOfChangingSizesGiveWhatSingleExamplesGive() {
    SplittableRandom random = new SplittableRandom(3);
    try (Model model = model();
        Predictor predictor = model.predictor(37)) {
      float[] result = new float[37 * 3];
      for (int round = 0; round < 200; round++) {
        int rows = random.nextInt(38);
        float[] x = example(round, 37 * 5);
        predictor.predict(x, result, rows);
        for (int r = 0; r < rows; r += 11) {
          float[] one = new float[5];
          System.arraycopy(x, 5 * r, one, 0, 5);
          float[] y = model.predict(one);
          for (int i = 0; i < 3; i++) {
            assertThat(result[3 * r + i]).isCloseTo(y[i], within(1e-5f));
          }
        }
      }
    }
  }

  @Test
  void manyExamplesGoInBatches() {
    try (Model model = model()) {
      float[][] examples = new float[150][];
      for (int i = 0; i < examples.length; i++) {
        examples[i] = example(i, 5);
      }
      float[][] results = model.predict(examples);
      assertThat(results).hasNumberOfRows(150);
      for (int i = 0; i < examples.length; i += 13) {
        assertThat(results[i]).containsExactly(model.predict(examples[i]), within(1e-5f));
      }
      assertThat(model.predict(new float[0][])).isEmpty();
    }
  }

  @Test
  void buffersAreReadAndWrittenAtTheirPositions() {
    try (Model model = model();
        Predictor predictor = model.predictor(4)) {
      float[] x = example(1, 5);
      FloatBuffer in =
          ByteBuffer.allocateDirect(4 * 12).order(ByteOrder.nativeOrder()).asFloatBuffer();
      in.position(7);
      in.duplicate().put(x);
      FloatBuffer out = FloatBuffer.allocate(10);
      out.position(2);
      predictor.predict(in, out, 1);
      assertThat(in.position()).isEqualTo(7);
      assertThat(out.position()).isEqualTo(2);
      float[] y = model.predict(x);
      assertThat(out.array()).containsExactly(0, 0, y[0], y[1], y[2], 0, 0, 0, 0, 0);
    }
  }

  @Test
  void severalInputsAndOutputsGoByNameAndIndex() {
    Symbol a = Symbol.input("a", 4);
    Symbol b = Symbol.input("b", 4);
    Symbol sum = new Add().apply(a, b);
    Symbol product = new Multiply().apply(a, b);
    try (Model model = Model.of(List.of(a, b), List.of(sum, product, a.then(new Flatten())), 1);
        Predictor predictor = model.predictor(2)) {
      predictor.write("a", new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 2);
      predictor.write("b", new int[] {2, 2, 2, 2, 3, 3, 3, 3}, 2);
      predictor.run(2);
      float[] y = new float[8];
      predictor.read(0, y, 2);
      assertThat(y).containsExactly(3, 4, 5, 6, 8, 9, 10, 11);
      predictor.read(1, y, 2);
      assertThat(y).containsExactly(2, 4, 6, 8, 15, 18, 21, 24);
      predictor.read(2, y, 2);
      assertThat(y).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
      assertThatThrownBy(() -> predictor.predict(new float[4], new float[4]))
          .isInstanceOf(CremaException.class)
          .hasMessage(
              "This model has 2 inputs [a, b] and 3 outputs. Use a predictor: write each input, run,"
                  + " read each output.");
      assertThatThrownBy(() -> predictor.write("c", new float[4], 1))
          .isInstanceOf(CremaException.class)
          .hasMessage("This model has no input 'c'; it has [a, b]");
    }
  }

  @Test
  void idsMayComeAsIntsLongsOrWholeFloats() {
    for (ElementType type : List.of(ElementType.INT32, ElementType.INT64)) {
      Symbol ids = Symbol.input("ids", TensorType.batchOf(type, 2));
      try (Model model =
              Model.of(List.of(ids), List.of(ids.then(Embedding.of(5, 1)).then(new Flatten())), 1);
          Predictor predictor = model.predictor(1)) {
        model.set("embedding_1/table", new float[] {10, 11, 12, 13, 14});
        float[] y = new float[2];
        predictor.write("ids", new int[] {4, 1}, 1);
        predictor.run(1);
        predictor.read(0, y, 1);
        assertThat(y).containsExactly(14, 11);
        predictor.write("ids", new long[] {0, 2}, 1);
        predictor.run(1);
        predictor.read(0, y, 1);
        assertThat(y).containsExactly(10, 12);
        assertThat(model.predict(3, 4)).containsExactly(13, 14);
        assertThatThrownBy(() -> model.predict(1.5f, 0))
            .isInstanceOf(CremaException.class)
            .hasMessage("input 'ids' takes whole numbers (" + type + "), got 1.5");
        assertThatThrownBy(() -> model.predict(5, 0))
            .isInstanceOf(CremaException.class)
            .hasMessageContaining("embedding_1")
            .hasMessageContaining("5");
      }
    }
  }

  @Test
  void memoryIsSharedWithTheCaller() {
    try (Model model = model();
        Predictor predictor = model.predictor(2);
        Buffer mine = Buffer.allocate(2 * 5 * 4)) {
      float[] x = example(1, 5);
      predictor.inputMemory("x").asFloatBuffer().put(x);
      predictor.run(1);
      float[] y = new float[3];
      predictor.outputMemory(0).asFloatBuffer().get(y);
      assertThat(y).isEqualTo(model.predict(x));
      float[] other = example(2, 5);
      mine.floats().put(other);
      predictor.bindInput("x", mine);
      predictor.run(1);
      predictor.outputMemory(0).asFloatBuffer().get(y);
      assertThat(y).isEqualTo(model.predict(other));
    }
  }

  @Test
  void aWrongNumberOfFeaturesIsNamed() {
    try (Model model = model();
        Predictor predictor = model.predictor(8)) {
      assertThatThrownBy(() -> model.predict(new float[4]))
          .isInstanceOf(CremaException.class)
          .hasMessage("An example of input 'x' is [5], 5 values, got 4");
      assertThatThrownBy(() -> model.predict(new float[][] {new float[5], new float[6]}))
          .isInstanceOf(CremaException.class)
          .hasMessage("An example of input 'x' is [5], 5 values, got 6");
      assertThatThrownBy(() -> predictor.predict(new float[9], new float[6], 2))
          .isInstanceOf(CremaException.class)
          .hasMessage("An example of input 'x' is [5], 5 values; 2 need 10, got 9");
      assertThatThrownBy(() -> predictor.predict(new float[10], new float[5], 2))
          .isInstanceOf(CremaException.class)
          .hasMessage("The result of output 'dense_2' needs room for 6 values but has 5");
      assertThatThrownBy(() -> predictor.predict(new float[100], new float[100], 9))
          .isInstanceOf(CremaException.class)
          .hasMessage("This predictor takes up to 8 examples at once, got 9");
    }
  }

  @Test
  void aBatchBeyondTwoGigabytesIsRefused() {
    try (Model model = Model.sequential(1000).dense(1).build(1)) {
      assertThatThrownBy(() -> model.predictor(1_000_000))
          .isInstanceOf(CremaException.class)
          .hasMessage(
              "'x' is [n, 1000]: for 1000000 examples that is more than 2 GB. Ask for a smaller"
                  + " capacity.");
    }
  }

  @Test
  void anInputThatNoLayerReadsDoesNoHarm() {
    Symbol a = Symbol.input("a", 4);
    Symbol b = Symbol.input("b", 4);
    try (Model model = Model.of(List.of(a, b), List.of(new Add().apply(a, a)), 1);
        Predictor predictor = model.predictor(1)) {
      predictor.write("a", new float[] {1, 2, 3, 4}, 1);
      predictor.write("b", new float[] {1, 2, 3, 4}, 1);
      predictor.run(1);
      float[] y = new float[4];
      predictor.read(0, y, 1);
      assertThat(y).containsExactly(2, 4, 6, 8);
    }
  }

  @Test
  void useAfterCloseIsAnException() {
    Model model = model();
    Predictor predictor = model.predictor(1);
    Predictor second = model.predictor(1);
    model.close();
    float[] y = new float[3];
    second.predict(new float[5], y); // keeps the parameters until it is closed itself
    second.close();
    predictor.close();
    predictor.close();
    assertThatThrownBy(() -> predictor.predict(new float[5], y))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("This predictor is closed");
    assertThatThrownBy(() -> predictor.run(1)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> predictor.read(0, y, 1)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> predictor.inputMemory("x")).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> predictor.outputMemory(0)).isInstanceOf(IllegalStateException.class);
    for (Runnable use :
        List.<Runnable>of(
            () -> model.predict(new float[5]),
            () -> model.predict(new float[1][5]),
            () -> model.predictor(1),
            () -> model.get("dense_1/bias"),
            () -> model.set("dense_1/bias", new float[7]),
            model::parameters,
            model::state,
            model::copy,
            model::summary)) {
      assertThatThrownBy(use::run)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("This model is closed");
    }
    model.close();
  }

  @Test
  void batchesArePutTogetherOfStretchesOfBytes() {
    try (Model model = model();
        Predictor predictor = model.predictor(4)) {
      float[] x = example(5, 15);
      predictor.write("x", 1, bytes(x, 5, 10));
      predictor.write("x", 0, bytes(x, 0, 5));
      predictor.run(3);
      ByteBuffer y = ByteBuffer.allocate(2 + 24).order(ByteOrder.nativeOrder()).position(2);
      predictor.read(0, 1, y);
      assertThat(y.position()).isEqualTo(2);
      float[] whole = new float[9];
      predictor.predict(x, whole, 3);
      for (int i = 0; i < 6; i++) {
        assertThat(y.getFloat(2 + 4 * i)).isEqualTo(whole[3 + i]);
      }
      predictor.write("x", 4, bytes(x, 0, 0));
      assertThatThrownBy(() -> predictor.write("x", 3, bytes(x, 0, 10)))
          .isInstanceOf(CremaException.class)
          .hasMessage(
              "40 bytes from row 3 on are no whole examples within the 4 of input 'x', whose"
                  + " examples [5] have 20 bytes each");
      assertThatThrownBy(() -> predictor.write("x", 0, bytes(x, 0, 4)))
          .hasMessageContaining("16 bytes from row 0 on are no whole examples");
      assertThatThrownBy(() -> predictor.write("x", -1, bytes(x, 0, 5)))
          .isInstanceOf(CremaException.class);
      assertThatThrownBy(() -> predictor.read(0, 4, y)).isInstanceOf(CremaException.class);
      assertThatThrownBy(() -> predictor.read(1, 0, y)).isInstanceOf(CremaException.class);
    }
  }

  private static ByteBuffer bytes(float[] values, int from, int count) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(values, from, count);
    return bytes;
  }
}
