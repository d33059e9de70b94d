package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.data.Datasets;
import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.AveragePool2d;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Concat;
import dev.crema.nn.Conv1d;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Dropout;
import dev.crema.nn.Flatten;
import dev.crema.nn.GlobalMaxPool;
import dev.crema.nn.LayerNorm;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.Padding;
import dev.crema.nn.Parameter;
import dev.crema.nn.Symbol;
import dev.crema.nn.Topology;
import dev.crema.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ShrinkerTest {
  private static final Pruner CHANNELS = Pruner.magnitude().pattern(Pattern.channel());

  @TempDir private Path folder;

  static Stream<Model> models() {
    return Stream.of(
        Model.sequential(9)
            .dense(16, Activation.RELU)
            .add(new Dropout(0.2))
            .dense(8, Activation.GELU)
            .dense(3, Activation.SOFTMAX)
            .build(1),
        convolutions(),
        Model.sequential(12, 2)
            .add(Conv1d.of(8, 3, Activation.SILU))
            .add(Conv1d.of(7, 3, Activation.ELU))
            .add(new GlobalMaxPool())
            .dense(2)
            .build(3));
  }

  private static Model convolutions() {
    return Model.sequential(8, 9, 3)
        .add(Conv2d.of(10, 3).withPadding(Padding.SAME))
        .add(new BatchNorm())
        .add(new Activate(Activation.RELU))
        .add(MaxPool2d.of(2))
        .add(Conv2d.of(6, 2, Activation.TANH))
        .add(AveragePool2d.of(2, 1))
        .add(new Flatten())
        .dense(12, Activation.RELU)
        .dense(4)
        .add(new Activate(Activation.SOFTMAX))
        .build(2);
  }

  /** As if it was trained: no bias, mean or shift is 0 by chance. */
  private static void disturb(Model model) {
    Random random = new Random(7);
    for (Parameter p : model.table().all()) {
      float[] w = model.get(p.path());
      for (int i = 0; i < w.length; i++) {
        w[i] += (float) (p.isTrained() ? 0.1 * random.nextGaussian() : random.nextDouble());
      }
      model.set(p.path(), w);
    }
  }

  private static float[][] examples(Model model, int rows) {
    Random random = new Random(8);
    int width = (int) model.topology().inputs().get(0).type().elements().perExample();
    float[][] x = new float[rows][width];
    for (float[] row : x) {
      for (int i = 0; i < width; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return x;
  }

  @ParameterizedTest
  @MethodSource("models")
  void theSmallModelPredictsAsTheMaskedOne(Model model) {
    try (model) {
      disturb(model);
      CHANNELS.prune(model, 0.5);
      try (Model small = Shrinker.shrink(model)) {
        long kept = Sparsity.of(model).elements() - Sparsity.of(model).pruned();
        assertThat(Sparsity.of(small).elements())
            .as("inputs of the next layers go too")
            .isLessThan(kept);
        assertThat(small.masks().isEmpty()).isTrue();
        assertThat(small.topology().places()).hasSameSizeAs(model.topology().places());
        float[][] x = examples(model, 33);
        float[][] expected = model.predict(x);
        float[][] got = small.predict(x);
        for (int r = 0; r < x.length; r++) {
          for (int i = 0; i < expected[r].length; i++) {
            // Zeros do not change a sum, but its order is another.
            assertThat(got[r][i])
                .isCloseTo(expected[r][i], within(2e-6f * Math.max(1, Math.abs(expected[r][i]))));
          }
        }
        small.save(folder.resolve("small"));
        try (Model loaded = Model.load(folder.resolve("small"))) {
          assertThat(loaded.predict(x[0])).isEqualTo(small.predict(x[0]));
        }
      }
    }
  }

  @Test
  void shapesAreThoseOfTheChannelsThatAreLeft() {
    try (Model model = convolutions()) {
      CHANNELS.exclude("dense_1").prune(model, 0.5);
      model.metadata().put("note", "kept");
      Pruner.magnitude().exclude("conv2d_1", "conv2d_2", "dense_2").prune(model, 0.25);
      try (Model small = Shrinker.shrink(model)) {
        assertThat(small.table().get("conv2d_1/kernel").type()).hasToString("[3, 3, 3, 5]");
        assertThat(small.table().get("batch_norm_1/running_mean").type()).hasToString("[5]");
        assertThat(small.table().get("conv2d_2/kernel").type()).hasToString("[2, 2, 5, 3]");
        // Behind the pools 2 x 2 places are left.
        assertThat(small.table().get("dense_1/kernel").type()).hasToString("[12, 12]");
        assertThat(small.metadata().get("note").asText()).isEqualTo("kept");
        assertThat(small.masks().paths()).containsExactly("dense_1/kernel");
        float[] w = small.get("dense_1/kernel");
        boolean[] kept = small.masks().get("dense_1/kernel");
        for (int i = 0; i < w.length; i++) {
          assertThat(w[i] != 0).isEqualTo(kept[i]);
        }
      }
    }
  }

  @Test
  void aSmallModelTrainsOn() {
    try (Model model = Model.sequential(4).dense(16, Activation.RELU).dense(2).build(1)) {
      CHANNELS.prune(model, 0.75);
      try (Model small = Shrinker.shrink(model)) {
        float[][] x = examples(small, 64);
        int[] y = new int[64];
        for (int i = 0; i < 64; i++) {
          y[i] = x[i][0] > 0 ? 1 : 0;
        }
        double[] loss = Trainer.of(small).epochs(30).fit(Datasets.of(x, y)).series("loss");
        assertThat(loss[29]).isLessThan(loss[0]);
        assertThat(small.get("dense_1/kernel")).hasSize(16).doesNotContain(0);
      }
    }
  }

  @Test
  void aModelWithoutDeadChannelsKeepsItsShapes() {
    try (Model model = Model.sequential(4).dense(5, Activation.SIGMOID).dense(2).build(1);
        Model same = Shrinker.shrink(model)) {
      assertThat(same.get("dense_1/kernel")).isEqualTo(model.get("dense_1/kernel"));
      float[] zero = model.get("dense_2/kernel");
      for (int i = 0; i < zero.length; i += 2) {
        zero[i] = 0; // an answer, which stays
      }
      model.set("dense_2/kernel", zero);
      try (Model again = Shrinker.shrink(model)) {
        assertThat(again.get("dense_2/kernel")).isEqualTo(zero);
      }
    }
  }

  @Test
  void oneChannelStaysOfALayerThatIsAllZero() {
    try (Model model = Model.sequential(4).dense(5, Activation.RELU).dense(2).build(1)) {
      model.set("dense_1/kernel", new float[20]);
      try (Model small = Shrinker.shrink(model)) {
        assertThat(small.get("dense_1/kernel")).hasSize(4);
        assertThat(small.predict(1, 2, 3, 4)).isEqualTo(model.predict(1, 2, 3, 4));
      }
    }
  }

  /** The first dense layer keeps its channels whatever prunes them, and {@code words} say why. */
  private static void keepsChannels(Model model, String... words) {
    try (model) {
      disturb(model);
      assertThat(Shrinker.obstacles(model).get("dense_1")).contains(words);
      String[] others =
          model.table().all().stream()
              .map(Prunable::layer)
              .filter(name -> !name.equals("dense_1"))
              .distinct()
              .toArray(String[]::new);
      assertThatThrownBy(() -> CHANNELS.exclude(others).prune(model, 0.5))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("There is nothing to prune by the pattern channel")
          .hasMessageContainingAll(words);
      zero(model, "dense_1", 0);
      try (Model same = Shrinker.shrink(model)) {
        assertThat(same.get("dense_1/kernel")).isEqualTo(model.get("dense_1/kernel"));
      }
    }
  }

  @Test
  void channelsThatAreMergedWithOthersOrMixedStay() {
    Symbol x = Symbol.input("x", 6);
    Symbol h = x.then(Dense.of(6, Activation.RELU));
    Symbol residual = new Add().apply(h, x);
    keepsChannels(
        Model.of(List.of(x), List.of(residual.then(Dense.of(2))), 1),
        "'add_1' merges them with channels that stay: 'x' is an input of the model");

    Symbol image = Symbol.input("image", 2, 2, 3);
    Symbol flat = image.then(Conv2d.of(5, 1)).then(new Flatten());
    Symbol both = new Add().apply(Dense.of(20).apply(image.then(new Flatten())), flat);
    keepsChannels(
        Model.of(List.of(image), List.of(both.then(Dense.of(2))), 1),
        "'add_1' merges them with others than channels");

    Dense shared = Dense.of(6, Activation.RELU);
    Symbol twice = x.then(shared).then(shared).then(Dense.of(2));
    keepsChannels(Model.of(List.of(x), List.of(twice), 1), "shares its weights");

    keepsChannels(
        Model.sequential(6).dense(8, Activation.RELU).add(new LayerNorm()).dense(2).build(1),
        "'layer_norm_1' (LayerNorm)");
    keepsChannels(
        Model.sequential(6).dense(8, Activation.SIGMOID).dense(2).build(1),
        "activation of 'dense_1' does not map 0 to 0");
  }

  /** Small is what the model has become; both predict the same. */
  private static void same(Model model, Model small) {
    float[] x = examples(model, 1)[0];
    assertThat(small.predict(x)).containsExactly(model.predict(x), within(1e-5f));
  }

  @Test
  void allWhoReadAChannelLoseIt() {
    Symbol x = Symbol.input("x", 6);
    Symbol both = Dense.of(8, Activation.RELU).apply(x);
    Symbol merged =
        new Add().apply(both.then(Dense.of(3, Activation.RELU)), both.then(Dense.of(3)));
    try (Model model = Model.of(List.of(x), List.of(merged.then(Dense.of(2))), 1)) {
      disturb(model);
      CHANNELS.prune(model, 0.5);
      try (Model small = Shrinker.shrink(model)) {
        assertThat(small.table().get("dense_1/kernel").type()).hasToString("[6, 4]");
        assertThat(small.table().get("dense_2/kernel").type()).hasToString("[4, 1]");
        assertThat(small.table().get("dense_3/kernel").type()).hasToString("[4, 1]");
        assertThat(small.table().get("dense_4/kernel").type()).hasToString("[1, 2]");
        same(model, small);
      }
    }
  }

  /** A sum's channels go from all layers that it merges, and from the stem before them. */
  @Test
  void ofAResidualNetworkAllButTheAnswersShrink() {
    Topology resnet =
        BuiltIn.topology("resnet18-small", new long[] {8, 8, 3}, BuiltIn.Output.CLASSES, 4);
    try (Model model = Model.of(resnet, 5)) {
      disturb(model);
      CHANNELS.prune(model, 0.5);
      assertThat(Shrinker.obstacles(model)).isEmpty();
      for (String tied : List.of("conv2d_3/kernel", "conv2d_5/kernel")) {
        assertThat(dead(model, tied)).isEqualTo(dead(model, "conv2d_1/kernel"));
      }
      try (Model small = Shrinker.shrink(model)) {
        assertThat(small.table().get("conv2d_1/kernel").type()).hasToString("[3, 3, 3, 8]");
        assertThat(small.table().get("conv2d_2/kernel").type()).hasToString("[3, 3, 8, 8]");
        assertThat(small.table().get("conv2d_3/kernel").type()).hasToString("[3, 3, 8, 8]");
        assertThat(small.masks().isEmpty()).isTrue();
        assertThat(4 * Sparsity.of(small).elements())
            .isLessThan(Sparsity.of(model).elements() + 4000);
        same(model, small);
      }
    }
  }

  /** Which columns of a parameter are 0. */
  private static List<Integer> dead(Model model, String path) {
    float[] w = model.get(path);
    int columns = (int) model.table().get(path).type().extent(-1);
    return IntStream.range(0, columns)
        .filter(c -> IntStream.range(0, w.length / columns).allMatch(r -> w[r * columns + c] == 0))
        .boxed()
        .toList();
  }

  @Test
  void aChannelOfASumStaysWhileAnyLayerHasIt() {
    Symbol x = Symbol.input("x", 5);
    Symbol first = x.then(Dense.of(4, Activation.RELU));
    Symbol second = first.then(Dense.of(4));
    Symbol y = new Add().apply(first, second).then(Dense.of(2));
    try (Model model = Model.of(List.of(x), List.of(y), 1)) {
      disturb(model);
      zero(model, "dense_1", 0, 2);
      zero(model, "dense_2", 0, 1);
      try (Model small = Shrinker.shrink(model)) {
        assertThat(small.table().get("dense_1/kernel").type()).hasToString("[5, 3]");
        assertThat(small.table().get("dense_2/kernel").type()).hasToString("[3, 3]");
        assertThat(small.table().get("dense_3/kernel").type()).hasToString("[3, 2]");
        same(model, small);
      }
      assertThatThrownBy(() -> CHANNELS.exclude("dense_2").prune(model, 0.5))
          .as("an excluded layer keeps what is tied to it")
          .isInstanceOf(CremaException.class);
    }
  }

  /** Behind a concatenation each channel is its layer's, also flattened and in a sum. */
  @Test
  void channelsOfConcatenatedLayersGoFromAllThatReadThem() {
    Symbol image = Symbol.input("image", 4, 4, 2);
    Symbol first = image.then(Conv2d.of(6, 1, Activation.RELU));
    Symbol second = image.then(Conv2d.of(4, 3, Activation.TANH).withPadding(Padding.SAME));
    Symbol joined = new Concat().apply(first, second, image).then(new BatchNorm());
    Symbol third = joined.then(new Activate(Activation.RELU)).then(Conv2d.of(10, 1));
    Symbol sum = new Add().apply(third, new Concat(3).apply(second, first)); // ties all three
    Symbol y = new Concat().apply(joined, sum).then(MaxPool2d.of(2)).then(new Flatten());
    try (Model model = Model.of(List.of(image), List.of(y.then(Dense.of(3))), 6)) {
      disturb(model);
      assertThat(ChannelGroup.of(model).get(0).problem())
          .contains("'add_1' merges them with others than channels");
    }
    Symbol apart = new Add().apply(first, image.then(Conv2d.of(6, 1)));
    Symbol z = new Concat().apply(joined, apart).then(MaxPool2d.of(2)).then(new Flatten());
    try (Model model = Model.of(List.of(image), List.of(z.then(Dense.of(3))), 6)) {
      disturb(model);
      CHANNELS.prune(model, 0.5);
      assertThat(dead(model, "conv2d_1/kernel"))
          .hasSize(3)
          .isEqualTo(dead(model, "conv2d_3/kernel"));
      assertThat(Shrinker.obstacles(model)).isEmpty();
      try (Model small = Shrinker.shrink(model)) {
        assertThat(small.table().get("conv2d_1/kernel").type()).hasToString("[1, 1, 2, 3]");
        assertThat(small.table().get("conv2d_2/kernel").type()).hasToString("[3, 3, 2, 2]");
        assertThat(small.table().get("batch_norm_1/gamma").type()).hasToString("[7]");
        assertThat(small.table().get("dense_1/kernel").type()).hasToString("[40, 3]");
        same(model, small);
      }
    }
  }

  private static void zero(Model model, String layer, int... channels) {
    float[] kernel = model.get(layer + "/kernel");
    float[] bias = model.get(layer + "/bias");
    for (int c : channels) {
      bias[c] = 0;
      for (int i = c; i < kernel.length; i += bias.length) {
        kernel[i] = 0;
      }
    }
    model.set(layer + "/kernel", kernel);
    model.set(layer + "/bias", bias);
  }

  @Test
  void aNormalizationOfFlatChannelsShrinksWithThem() {
    try (Model model =
        Model.sequential(4, 4, 2)
            .add(Conv2d.of(6, 3, Activation.RELU))
            .add(new Flatten())
            .add(new BatchNorm())
            .dense(3)
            .build(4)) {
      disturb(model);
      CHANNELS.prune(model, 0.5);
      try (Model small = Shrinker.shrink(model)) {
        assertThat(small.table().get("batch_norm_1/running_mean").type()).hasToString("[12]");
        assertThat(small.table().get("dense_1/kernel").type()).hasToString("[12, 3]");
        same(model, small);
      }
    }
  }

  @Test
  void groupedConvolutionsKeepTheirFiltersAndThoseBeforeThem() {
    try (Model model =
        Model.sequential(6, 6, 2)
            .add(Conv2d.of(8, 3, Activation.RELU))
            .add(Conv2d.of(8, 1, Activation.RELU).withGroups(4))
            .add(Conv2d.of(6, 2, Activation.RELU))
            .add(new Flatten())
            .dense(3)
            .build(4)) {
      disturb(model);
      CHANNELS.prune(model, 0.5);
      assertThat(Shrinker.obstacles(model)).containsOnlyKeys("conv2d_1", "conv2d_2");
      try (Model small = Shrinker.shrink(model)) {
        assertThat(small.table().get("conv2d_1/kernel").type()).hasToString("[3, 3, 2, 8]");
        assertThat(small.table().get("conv2d_2/kernel").type()).hasToString("[1, 1, 2, 8]");
        assertThat(small.table().get("conv2d_3/kernel").type()).hasToString("[2, 2, 8, 3]");
        same(model, small);
      }
    }
  }

  @Test
  void channelsGoWithANormalizationBehindTheirActivation() {
    try (Model model =
        Model.sequential(5).dense(8, Activation.RELU).add(new BatchNorm()).dense(3).build(4)) {
      disturb(model);
      CHANNELS.prune(model, 0.5);
      try (Model small = Shrinker.shrink(model)) {
        assertThat(small.table().get("dense_1/kernel").type()).hasToString("[5, 4]");
        assertThat(small.table().get("batch_norm_1/running_mean").type()).hasToString("[4]");
        same(model, small);
      }
    }
  }

  @Test
  void aQuantizedModelIsNotShrunk() {
    try (Model model = Model.sequential(5).dense(8, Activation.RELU).dense(3).build(4);
        Model bytes = Quantizer.dynamic().quantize(model)) {
      assertThatThrownBy(() -> Shrinker.shrink(bytes))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("quantized already");
    }
  }
}
