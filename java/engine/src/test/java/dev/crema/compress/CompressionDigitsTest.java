package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.data.Dataset;
import dev.crema.data.Mnist;
import dev.crema.device.Device;
import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Flatten;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.Padding;
import dev.crema.nn.Symbol;
import dev.crema.op.EveryDevice;
import dev.crema.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole search on the shipped digits of 10 x 10 pixels. */
class CompressionDigitsTest {
  private static final Mnist DIGITS = Mnist.sample10x10();
  private static final Dataset TRAIN = DIGITS.train().take(3000);

  /** Half of the time for those candidates, one and a half of it for others. */
  private static Stopwatch fast(Predicate<String> names) {
    return (candidates, batch, data, threads, device) ->
        candidates.stream()
            .mapToDouble(
                c -> c.name().equals("original") ? 1000 : names.test(c.name()) ? 500 : 1500)
            .toArray();
  }

  private static Model trained() {
    Model model =
        Model.sequential(100)
            .dense(32, Activation.RELU)
            .dense(16, Activation.RELU)
            .dense(10)
            .build(1);
    Trainer.of(model).epochs(4).threads(1).fit(TRAIN);
    return model;
  }

  private static Compression search(Model model, Target target, int epochs) {
    Compression compression =
        Compression.optimize(model, TRAIN)
            .validation(DIGITS.test())
            .target(target)
            .maxAccuracyDrop(0.01)
            .epochs(epochs)
            .threads(1)
            .device(Device.cpu());
    compression.stopwatch = fast(name -> true);
    return compression;
  }

  private static List<String> names(CompressionResult result) {
    return result.trials().stream().map(Trial::name).toList();
  }

  private static Trial trial(CompressionResult result, String name) {
    return result.trials().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  private static double accuracy(Figures figures) {
    return figures.evaluation().classification().accuracy();
  }

  @Test
  void theSearchKeepsASmallFormTheSameEachTimeAndLeavesTheModelAsItIs(@TempDir Path folder) {
    try (Model model = trained()) {
      float[] before = model.get("dense_1/kernel");
      String metadata = model.metadata().toString();
      try (CompressionResult a = search(model, Target.SIZE, 3).run();
          CompressionResult b = search(model, Target.SIZE, 3).run()) {
        assertThat(model.get("dense_1/kernel")).isEqualTo(before);
        assertThat(model.masks().isEmpty()).isTrue();
        assertThat(model.quantization()).isNull();
        assertThat(model.metadata()).hasToString(metadata);

        assertThat(names(a))
            .contains("original", "int8 (min-max)", "int8 (entropy)", "int8 (mse)")
            .contains("50 % channel", "75 % unstructured", "75 % block:4x4", "50 % 2:4")
            .anyMatch(n -> n.startsWith("50 % unstructured, int8"));
        assertThat(a.paid()).isTrue();
        List<Figures> sides = a.comparison().models();
        assertThat(accuracy(sides.get(1))).isGreaterThanOrEqualTo(accuracy(sides.get(0)) - 0.01);
        assertThat(sides.get(1).fileBytes() * 2).isLessThan(sides.get(0).fileBytes());
        assertThat(sides.get(1).evaluation().examples()).isBetween(990L, 1010L);
        for (Trial t : a.trials()) {
          if (t.outcome() == Trial.Outcome.PASSED || t.outcome() == Trial.Outcome.KEPT) {
            assertThat(t.figures().fileBytes()).isLessThan(sides.get(0).fileBytes());
            assertThat(accuracy(t.figures()))
                .isGreaterThanOrEqualTo(accuracy(a.trials().get(0).figures()) - 0.010001);
          }
        }

        assertThat(names(b)).isEqualTo(names(a));
        for (int i = 0; i < a.trials().size(); i++) {
          Trial one = a.trials().get(i);
          Trial other = b.trials().get(i);
          assertThat(other.outcome()).isEqualTo(one.outcome());
          assertThat(other.reason()).isEqualTo(one.reason());
          if (one.figures() != null) {
            assertThat(other.figures().fileBytes()).isEqualTo(one.figures().fileBytes());
            assertThat(other.figures().evaluation().loss())
                .isEqualTo(one.figures().evaluation().loss());
          }
        }
        assertThat(a.model().metadata().get("history")).isEqualTo(model.metadata().get("history"));
        a.model().save(folder.resolve("kept"));
        try (Model loaded = Model.load(folder.resolve("kept"))) {
          float[] example = new float[100];
          example[37] = 1;
          assertThat(loaded.predict(example)).isEqualTo(a.model().predict(example));
          assertThat(loaded.predict(example)).isEqualTo(b.model().predict(example));
        }
      }
    }
  }

  @Test
  void aLayerThatDoesNotBearBytesStaysFloatAndTrainingWithBytesIsTriedToo() {
    try (Model model = trained()) {
      QuantizationSensitivityTest.makeSensitive(model, "dense_1", "dense_2");
      try (CompressionResult r = search(model, Target.SIZE, 1).run()) {
        List<Trial> whole =
            r.trials().stream().filter(t -> t.name().matches("int8 \\([^)]*\\)")).toList();
        assertThat(whole).hasSize(CalibrationMethod.values().length + 1); // and dynamic
        assertThat(whole)
            .allMatch(
                t ->
                    t.outcome() == Trial.Outcome.REFUSED
                        && t.reason().startsWith("accuracy falls by"));
        Trial mixed =
            r.trials().stream()
                .filter(t -> t.name().matches("int8 .* without dense_2"))
                .findFirst()
                .orElseThrow();
        assertThat(mixed.outcome()).isIn(Trial.Outcome.PASSED, Trial.Outcome.KEPT);
        assertThat(names(r)).noneMatch(n -> n.contains("without dense_2, "));
        assertThat(names(r)).anyMatch(n -> n.matches("int8 .*, trained"));
        assertThat(names(r)).anyMatch(n -> n.matches("\\d+ % .*, int8 .* without dense_2"));
        assertThat(r.paid()).isTrue();
      }
    }
  }

  @Test
  void whereBytesAreSlowTheSmallestLayersAreLeftOut() {
    try (Model model = trained()) {
      Compression compression = search(model, Target.LATENCY, 0);
      compression.stopwatch = fast(name -> name.contains("without dense_3"));
      try (CompressionResult r = compression.run()) {
        assertThat(r.kept().name()).matches("int8 \\(.*\\) without dense_3");
        assertThat(r.model().quantization().layers()).containsOnlyKeys("dense_1", "dense_2");
        assertThat(names(r)).noneMatch(n -> n.endsWith(", trained"));
        assertThat(names(r)).as("on the CPU").doesNotContain("fp8");
      }
      try (CompressionResult r = compression.maxAccuracyDrop(0.5).run()) {
        assertThat(names(r))
            .as("what is pruned is tried without it, too")
            .anyMatch(n -> n.matches("\\d+ % .*, int8 .* without dense_3"));
      }
    }
  }

  @Test
  void onACardFp8IsTriedToo() {
    EveryDevice.cards(
        device -> {
          try (Model model = trained()) {
            Compression compression = search(model, Target.LATENCY, 0).device(device);
            compression.validation(DIGITS.test().take(200));
            compression.stopwatch = fast(name -> name.equals("fp8"));
            compression.strategy = s -> new ByteTrials(s).ofTheOriginal();
            try (CompressionResult r = compression.run()) {
              assertThat(r.kept().name()).isEqualTo("fp8");
            }
          }
        });
  }

  @Test
  void ofAModelThatIsSparseAlreadyOnlyHigherSparsitiesAreTriedAndZerosStay() {
    try (Model model = trained()) {
      Pruner.magnitude().prune(model, 0.8);
      Trainer.of(model).epochs(1).threads(1).fit(TRAIN);
      float[] before = model.get("dense_1/kernel");
      try (CompressionResult r = search(model, Target.SIZE, 1).run()) {
        assertThat(names(r))
            .contains("95 % unstructured")
            .doesNotContain("50 % unstructured", "75 % unstructured", "50 % 2:4");
        assertThat(r.paid()).isTrue();
        if (r.model().table().get("dense_1/kernel").elements() == before.length) {
          float[] after = r.model().get("dense_1/kernel");
          for (int i = 0; i < before.length; i++) {
            assertThat(before[i] != 0 || after[i] == 0).isTrue();
          }
        }
      }
    }
  }

  @Test
  void whatAStructureDoesNotAllowIsNotedAndTheRestIsTried() {
    Symbol x = Symbol.input("x", 10, 10, 1);
    Symbol a =
        x.then(Conv2d.of(6, 3, Activation.LINEAR))
            .then(new BatchNorm())
            .then(new Activate(Activation.RELU));
    Symbol b = a.then(Conv2d.of(6, 3, Activation.LINEAR).withPadding(Padding.SAME));
    Symbol sum = new Add().apply(a, b.then(new BatchNorm()));
    Symbol y =
        sum.then(new Activate(Activation.SIGMOID))
            .then(MaxPool2d.of(2))
            .then(new Flatten())
            .then(Dense.of(10));
    try (Model model = Model.of(List.of(x), List.of(y), 1)) {
      Trainer.of(model).epochs(2).threads(1).fit(TRAIN);
      try (CompressionResult r = search(model, Target.SIZE, 1).run()) {
        Trial channels = trial(r, "50 % channel");
        assertThat(channels.outcome()).isEqualTo(Trial.Outcome.IMPOSSIBLE);
        assertThat(channels.reason())
            .contains("channels can be taken out", "'conv2d_1'", "(Activate)", "may not keep 0");
        assertThat(trial(r, "50 % 2:4").figures()).as("but for the first layer").isNotNull();
        assertThat(r.paid()).isTrue();
      }
    }
  }

  /** The machine's own clock; what it says is not known before, so only the rules are checked. */
  @Test
  void theRealClockIsAskedAndWhatIsKeptWasFasterByIt() {
    try (Model model = trained()) {
      Compression compression = search(model, Target.LATENCY, 0);
      compression.stopwatch = Latency::medians;
      compression.strategy =
          s -> {
            s.attempt("copy", model::copy).close();
            s.attempt("int8", () -> Quantizer.standard().quantize(model, s.calibration())).close();
          };
      try (CompressionResult r = compression.run()) {
        for (Trial t : r.trials()) {
          assertThat(t.figures().nanosOf1()).isBetween(50.0, 1e7);
          assertThat(t.figures().nanosOf32()).isBetween(50.0, 1e8);
        }
        if (r.paid()) {
          Figures before = r.comparison().models().get(0);
          Figures after = r.comparison().models().get(1);
          assertThat(after.nanosOf1() * after.nanosOf32())
              .isLessThan(before.nanosOf1() * before.nanosOf32());
        }
      }
    }
  }
}
