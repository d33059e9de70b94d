package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.Dense;
import dev.crema.nn.Embedding;
import dev.crema.nn.GlobalAveragePool;
import dev.crema.nn.Initializer;
import dev.crema.nn.LayerNorm;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.nn.Symbol;
import dev.crema.plan.Plan;
import dev.crema.train.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that read ids, with int8 tables. */
class QuantizedEmbeddingsTest {
  private static final int WORDS = 5;
  private static final int VOCABULARY = 300;
  private static final int ROWS = 60;
  private static final int[] IDS = new Random(3).ints(WORDS * ROWS, 0, VOCABULARY).toArray();

  private static Dataset data() {
    return Datasets.arrays().input("ids", IDS, WORDS).target("y", new int[ROWS]).build();
  }

  private static Symbol ids() {
    return Symbol.input("ids", TensorType.batchOf(ElementType.INT32, WORDS));
  }

  private static Embedding embedding() {
    return Embedding.of(VOCABULARY, 18).withTableInitializer(Initializer.HE_NORMAL);
  }

  private static Model model() {
    Symbol x = ids();
    Symbol hidden = x.then(embedding().withPadding(7)).then(Dense.of(12, Activation.RELU));
    return Model.of(List.of(x), List.of(hidden.then(new GlobalAveragePool()).then(Dense.of(3))), 1);
  }

  private static float[] predict(Model model, Device device, int threads) {
    float[] y = new float[3 * ROWS];
    try (Predictor p = model.predictor(ROWS, threads, device)) {
      p.write("ids", IDS, ROWS);
      p.run(ROWS);
      p.read(0, y, ROWS);
    }
    return y;
  }

  @Test
  void idsBecomeBytesForTheLayersThatReadThem() {
    try (Model before = model();
        Model after = Quantizer.standard().quantize(before, data())) {
      assertThat(after.quantization().layers().keySet())
          .containsExactly("embedding_1", "dense_1", "global_average_pool_1", "dense_2");
      assertThat(QuantizedImagesTest.kernels(after, ROWS))
          .containsExactly(
              "quantized_embedding",
              "quantized_linear",
              "quantized_global_average_pool",
              "quantized_linear");
      float[] expected = predict(before, Device.cpu(), 1);
      float[] actual = predict(after, Device.cpu(), 1);
      float most = 0;
      for (float v : expected) {
        most = Math.max(most, Math.abs(v));
      }
      // Three layers in steps of 1/255 of their ranges.
      assertThat(actual).containsExactly(expected, within(0.03f * most)).isNotEqualTo(expected);
    }
  }

  @Test
  void everyInstructionSetAndThreadCountGivesTheSameBits() {
    try (Model before = model();
        Model after = Quantizer.standard().quantize(before, data())) {
      float[] expected = predict(after, Device.cpu(), 1);
      for (CpuDevice device : CpuDevice.levels()) {
        for (int threads : new int[] {1, 3}) {
          assertThat(predict(after, device, threads)).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void sumsOfEmbeddingsAreOfBytesToo() {
    Symbol x = ids();
    Symbol sum = new Add().apply(x.then(embedding()), x.then(embedding()));
    Symbol y = sum.then(Dense.of(4)).then(new GlobalAveragePool()).then(Dense.of(3));
    try (Model before = Model.of(List.of(x), List.of(y), 2);
        Model after = Quantizer.standard().quantize(before, data())) {
      assertThat(QuantizedImagesTest.kernels(after, 4))
          .startsWith(
              "quantized_embedding", "quantized_embedding", "quantized_add", "quantized_linear");
    }
  }

  @Test
  void whereNumbersAreWantedRowsBecomeFloat32WhenTheyAreLookedUp() {
    Symbol x = ids();
    Symbol y =
        x.then(embedding())
            .then(new LayerNorm())
            .then(new GlobalAveragePool())
            .then(Dense.of(3, Activation.TANH));
    try (Model before = Model.of(List.of(x), List.of(y), 2);
        Model after = Quantizer.standard().without("dense_1").quantize(before, data())) {
      assertThat(QuantizedImagesTest.kernels(after, 4)).startsWith("quantized_embedding");
      float[] expected = predict(before, Device.cpu(), 1);
      // Rows in steps of 1/127 of their greatest number.
      assertThat(predict(after, Device.cpu(), 1))
          .containsExactly(expected, within(0.01f))
          .isNotEqualTo(expected);
    }
  }

  /** Of this model nothing but rows of the table is rounded. */
  @Test
  void trainingWithRoundedWeightsReadsTheRowsThatTheBytesGiveBack() {
    Symbol x = ids();
    Symbol y =
        x.then(embedding().withPadding(7))
            .then(new LayerNorm())
            .then(new GlobalAveragePool())
            .then(Dense.of(3));
    try (Model before = Model.of(List.of(x), List.of(y), 2);
        Model after = Quantizer.standard().without("dense_1").quantize(before, data())) {
      assertThat(after.quantization().layers()).containsOnlyKeys("embedding_1");
      Graph graph = new Graph();
      Node out = before.build(graph, false, after.quantization()).outputs().get(0);
      try (Plan plan =
          Plan.of(graph)
              .outputs(out)
              .capacity(ROWS)
              .storage(Storage.PARAMETERS, before.parameters())
              .storage(Storage.STATE, before.state())
              .build()) {
        plan.input("ids").borrow(0, 4 * IDS.length).asIntBuffer().put(IDS);
        plan.run(ROWS);
        float[] trained = new float[3 * ROWS];
        for (int i = 0; i < trained.length; i++) {
          trained[i] = plan.output(out).getFloat(4 * i);
        }
        // Sums of float32 in another order at most; the rounding itself moves the outputs by more.
        assertThat(trained).containsExactly(predict(after, Device.cpu(), 1), within(1e-5f));
        float most = 0;
        float[] unrounded = predict(before, Device.cpu(), 1);
        for (int i = 0; i < trained.length; i++) {
          most = Math.max(most, Math.abs(trained[i] - unrounded[i]));
        }
        assertThat(most).isGreaterThan(1e-4f);
      }
    }
  }

  @Test
  void aTableLearnsWhileItsRowsAreRounded() {
    int[] classes = new int[ROWS];
    for (int i = 0; i < ROWS; i++) {
      classes[i] = IDS[i * WORDS] % 3;
    }
    Dataset data = Datasets.arrays().input("ids", IDS, WORDS).target("y", classes).build();
    try (Model model = model();
        Model untrained = Quantizer.standard().quantize(model, data);
        Model trained =
            QuantizationAwareTraining.train(
                model,
                Quantizer.standard(),
                data,
                t -> t.optimizer(Optimizer.adam(0.01)).epochs(20).threads(1).fit(data))) {
      assertThat(trained.quantization().layers()).containsKey("embedding_1");
      float[] table = trained.get("embedding_1/table");
      assertThat(table).isNotEqualTo(untrained.get("embedding_1/table"));
      float[] scales = trained.quantization().layers().get("embedding_1").weightScales();
      for (int i = 0; i < table.length; i++) {
        float steps = table[i] / scales[i / 18];
        assertThat(steps).isCloseTo((float) Math.rint(steps), within(1e-4f));
      }
      assertThat(loss(trained, data)).isLessThan(loss(untrained, data) * 0.8);
    }
  }

  private static double loss(Model model, Dataset data) {
    return Candidate.of("", model).evaluate(data, 1, Device.cpu()).loss();
  }

  @Test
  void tablesAreSavedAsInt8WithAScaleForEachRow(@TempDir Path folder) throws IOException {
    try (Model before = model();
        Model after = Quantizer.standard().quantize(before, data())) {
      before.save(folder.resolve("before"));
      after.save(folder.resolve("after"));
      long small = Files.size(folder.resolve("after/model.safetensors"));
      assertThat(small).isLessThan(Files.size(folder.resolve("before/model.safetensors")) * 2 / 5);
      try (Model loaded = Model.load(folder.resolve("after"))) {
        assertThat(loaded.quantization()).isEqualTo(after.quantization());
        assertThat(loaded.get("embedding_1/table")).isEqualTo(after.get("embedding_1/table"));
        assertThat(predict(loaded, Device.cpu(), 1)).isEqualTo(predict(after, Device.cpu(), 1));
      }
    }
  }

  @Test
  void paddingStaysZeroAndAnUnknownIdIsAnError() {
    try (Model before = model();
        Model after = Quantizer.standard().quantize(before, data());
        Predictor p = after.predictor(1)) {
      p.write("ids", new int[] {7, 7, 7, 7, 7}, 1);
      p.run(1);
      float[] padded = new float[3];
      p.read(0, padded, 1);
      assertThat(padded).containsExactly(before.predict(7, 7, 7, 7, 7), within(0.02f));
      p.write("ids", new int[] {0, 1, VOCABULARY, 2, 3}, 1);
      assertThatThrownBy(() -> p.run(1))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("embedding_1")
          .hasMessageContaining("index 300 at position 2 is outside [0, 300)");
    }
  }

  @Test
  void aTableWithNaNIsRefusedAndARowOfZerosIsKept() {
    try (Model model = model()) {
      float[] table = model.get("embedding_1/table");
      Arrays.fill(table, 0, 18, 0);
      model.set("embedding_1/table", table);
      try (Model after = Quantizer.standard().quantize(model, data())) {
        assertThat(after.get("embedding_1/table")).startsWith(new float[18]);
      }
      table[18 * 299] = Float.NaN; // of an id that the examples may lack
      model.set("embedding_1/table", table);
      Dataset one =
          Datasets.arrays().input("ids", new int[WORDS], WORDS).target("y", new int[1]).build();
      assertThatThrownBy(() -> Quantizer.standard().quantize(model, one).close())
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("embedding_1/table holds NaN");
    }
  }
}
