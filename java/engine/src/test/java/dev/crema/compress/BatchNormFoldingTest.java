package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.DepthwiseConv2d;
import dev.crema.nn.GlobalAveragePool;
import dev.crema.nn.Layer;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.nn.Symbol;
import dev.crema.nn.Topology;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BatchNormFoldingTest {
  private static final int SIDE = 6;

  /** Statistics and parameters as training may leave them. */
  static void randomise(Model model) {
    Random random = new Random(8);
    for (Parameter p : model.table().all()) {
      float[] values = model.get(p.path());
      for (int i = 0; i < values.length; i++) {
        boolean positive = p.path().endsWith("variance");
        values[i] += (float) (positive ? random.nextDouble() : 0.3 * random.nextGaussian());
      }
      model.set(p.path(), values);
    }
  }

  private static float[][] images(int channels) {
    Random random = new Random(2);
    float[][] x = new float[5][SIDE * SIDE * channels];
    for (float[] row : x) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return x;
  }

  private static void predictsTheSame(Model model, int norms, int left) {
    randomise(model);
    try (Model folded = BatchNormFolding.fold(model)) {
      assertThat(count(model)).isEqualTo(norms);
      assertThat(count(folded)).isEqualTo(left);
      float[][] expected = model.predict(images(3));
      float[][] actual = folded.predict(images(3));
      for (int i = 0; i < expected.length; i++) {
        // A few roundings of sums of some hundred products in float32.
        assertThat(actual[i]).containsExactly(expected[i], within(2e-4f));
      }
    }
  }

  private static long count(Model model) {
    return model.topology().places().stream().filter(p -> p.layer() instanceof BatchNorm).count();
  }

  private static Symbol image() {
    return Symbol.input("x", SIDE, SIDE, 3);
  }

  private static Model model(Symbol x, Symbol y) {
    return Model.of(List.of(x), List.of(y), 1);
  }

  @Test
  void everyKindOfLayerTakesTheNormalisationBehindIt() {
    Symbol x = image();
    Symbol y =
        x.then(Conv2d.of(7, 3).withoutBias())
            .then(new BatchNorm())
            .then(new Activate(Activation.RELU))
            .then(DepthwiseConv2d.of(3))
            .then(new BatchNorm(null, 0.01, false, true))
            .then(new GlobalAveragePool())
            .then(Dense.of(5))
            .then(new BatchNorm(null, null, true, false))
            .then(Dense.of(2));
    try (Model model = model(x, y)) {
      predictsTheSame(model, 3, 0);
    }
  }

  @Test
  void whatSomethingElseReadsStays() {
    Symbol x = image();
    Symbol conv = x.then(Conv2d.of(4, 3));
    Symbol both = new dev.crema.nn.Add().apply(conv, conv.then(new BatchNorm()));
    try (Model model = model(x, both.then(new GlobalAveragePool()))) {
      predictsTheSame(model, 1, 1);
    }
    Symbol relu = x.then(Conv2d.of(4, 3, Activation.RELU)).then(new BatchNorm());
    try (Model model = model(x, relu.then(new GlobalAveragePool()))) {
      predictsTheSame(model, 1, 1);
    }
    Symbol end = x.then(new GlobalAveragePool()).then(Dense.of(3)).then(new BatchNorm());
    try (Model model = model(x, end)) {
      predictsTheSame(model, 1, 1); // its name is the output's
    }
    Layer shared = Conv2d.of(3, 1);
    Symbol twice = x.then(shared).then(new BatchNorm()).then(shared).then(new BatchNorm());
    try (Model model = model(x, twice.then(new GlobalAveragePool()))) {
      predictsTheSame(model, 2, 2);
    }
  }

  @Test
  void masksMetadataAndTheModelItselfAreKept() {
    Symbol x = image();
    Symbol y = x.then(Conv2d.of(2, 1)).then(new BatchNorm()).then(new GlobalAveragePool());
    try (Model model = model(x, y)) {
      randomise(model);
      model.metadata().put("by", "me");
      model.masks().set("conv2d_1/kernel", new boolean[] {true, false, true, true, false, true});
      float[] before = model.get("conv2d_1/kernel");
      try (Model folded = BatchNormFolding.fold(model)) {
        assertThat(folded.metadata().path("by").asText()).isEqualTo("me");
        assertThat(folded.get("conv2d_1/kernel")[1]).isZero();
        assertThat(folded.masks().get("conv2d_1/kernel"))
            .isEqualTo(model.masks().get("conv2d_1/kernel"));
        Topology topology = folded.topology();
        assertThat(topology.outputs()).isEqualTo(model.topology().outputs());
      }
      assertThat(model.get("conv2d_1/kernel")).isEqualTo(before);
    }
  }

  @Test
  void whatIsPrunedOfTheNormalisationGoesWithItAndABiasThatTakesAMeanIsNotPruned() {
    Symbol x = image();
    Symbol a = x.then(Conv2d.of(6, 3)).then(new BatchNorm()).then(new Activate(Activation.RELU));
    Symbol y = a.then(Conv2d.of(4, 3)).then(new GlobalAveragePool());
    try (Model model = model(x, y)) {
      randomise(model);
      Pruner.magnitude().pattern(Pattern.channel()).prune(model, 0.5);
      assertThat(model.masks().paths()).anyMatch(path -> path.endsWith("/gamma"));
      float[][] expected = model.predict(images(3));
      try (Model folded = BatchNormFolding.fold(model)) {
        assertThat(folded.masks().paths()).contains("conv2d_1/kernel", "conv2d_1/bias");
        float[][] actual = folded.predict(images(3));
        for (int i = 0; i < expected.length; i++) {
          assertThat(actual[i]).containsExactly(expected[i], within(2e-4f));
        }
      }
      model.masks().clear();
      randomise(model);
      model.masks().set("conv2d_1/bias", new boolean[6]);
      float[][] moved = model.predict(images(3));
      try (Model folded = BatchNormFolding.fold(model)) {
        assertThat(folded.masks().get("conv2d_1/bias")).containsOnly(true);
        float[][] actual = folded.predict(images(3));
        for (int i = 0; i < moved.length; i++) {
          assertThat(actual[i]).containsExactly(moved[i], within(2e-4f));
        }
      }
    }
  }
}
