package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.data.Dataset;
import dev.crema.data.Mnist;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Pruning, fine-tuning, quantization and distillation after each other: what is 0 stays 0. */
class CombinationsTest {
  private static final Mnist DIGITS = Mnist.sample10x10();
  private static final double SPARSITY = 0.8;

  @TempDir private Path folder;

  private static Model model(long seed) {
    return Model.sequential(100)
        .dense(32, Activation.RELU)
        .dense(16, Activation.RELU)
        .dense(10, Activation.SOFTMAX)
        .build(seed);
  }

  private static Dataset few() {
    return DIGITS.train().take(512);
  }

  private static Model pruned(long seed) {
    Model model = model(seed);
    Trainer.of(model).epochs(1).fit(few());
    Pruner.magnitude().prune(model, SPARSITY);
    return model;
  }

  /** Which weights of the kernels are 0. */
  private static Map<String, BitSet> zeros(Model model) {
    Map<String, BitSet> all = new TreeMap<>();
    for (Sparsity.Row row : Sparsity.of(model).parameters()) {
      if (row.path().endsWith("/kernel")) {
        float[] kernel = model.get(row.path());
        BitSet zeros = new BitSet();
        for (int i = 0; i < kernel.length; i++) {
          zeros.set(i, kernel[i] == 0);
        }
        all.put(row.path(), zeros);
      }
    }
    return all;
  }

  /** That a model is 0 wherever another is; rounding may add some. */
  private static void assertKept(Map<String, BitSet> before, Model after) {
    Map<String, BitSet> now = zeros(after);
    before.forEach(
        (path, zeros) -> {
          BitSet lost = (BitSet) zeros.clone();
          lost.andNot(now.get(path));
          assertThat(lost.cardinality()).as("zeros of %s that are none any more", path).isZero();
          int weights = after.get(path).length;
          assertThat(now.get(path).cardinality()).as(path).isLessThan(weights * 95 / 100);
        });
  }

  private static float[] predictions(Model model) {
    List<float[]> rows = new ArrayList<>();
    float[] x = new float[64 * 100];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i * 37 % 101) / 101f;
    }
    float[] y = new float[64 * 10];
    try (Predictor predictor = model.predictor(64)) {
      predictor.predict(x, y, 64);
      rows.add(y);
    }
    return rows.get(0);
  }

  static Stream<Quantizer> quantizers() {
    return Stream.of(
        Quantizer.standard(),
        Quantizer.standard().withSmoothing(0.5),
        Quantizer.dynamic(),
        Quantizer.weightOnly(8, 0),
        Quantizer.weightOnly(4, 8),
        Quantizer.weightOnly(4, Quantizer.GROUP_SIZE).always());
  }

  @ParameterizedTest
  @MethodSource("quantizers")
  void everyQuantizationKeepsTheZerosOfPruningAndFineTuning(Quantizer quantizer) {
    try (Model model = pruned(1)) {
      Map<String, BitSet> zeros = zeros(model);
      Trainer.of(model).epochs(1).fit(few());
      assertKept(zeros, model);
      try (Model quantized = quantizer.quantize(model, few())) {
        assertKept(zeros, quantized);
        quantized.save(folder.resolve("q"));
        try (Model loaded = Model.load(folder.resolve("q"))) {
          assertKept(zeros, loaded);
          assertThat(predictions(loaded)).containsExactly(predictions(quantized));
        }
      }
      assertThat(model.quantization()).isNull();
    }
  }

  static Stream<Optimizer> optimizers() {
    return Optimizer.NAMES.stream().map(name -> Optimizer.of(name, 0.002));
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void trainingWithRoundedWeightsKeepsTheZerosWhateverTheOptimiser(Optimizer optimizer) {
    try (Model model = pruned(2)) {
      Map<String, BitSet> zeros = zeros(model);
      try (Model quantized =
          QuantizationAwareTraining.train(
              model,
              Quantizer.standard(),
              few(),
              t -> t.optimizer(optimizer).epochs(1).fit(few()))) {
        assertKept(zeros, quantized);
      }
    }
  }

  @Test
  void aPrunedStudentStaysPrunedWhileItIsTaughtAndAfterItIsQuantized() {
    try (Model teacher = model(3);
        Model student = pruned(4)) {
      Trainer.of(teacher).epochs(2).fit(few());
      Map<String, BitSet> zeros = zeros(student);
      Trainer.of(student)
          .term(Distillation.from(teacher).temperature(4).alpha(0.1))
          .epochs(1)
          .fit(few());
      assertKept(zeros, student);
      try (Model quantized = Quantizer.standard().quantize(student, few())) {
        assertKept(zeros, quantized);
      }
    }
  }

  @Test
  void aPrunedTeacherTeachesAndStaysAsItIs() {
    try (Model teacher = pruned(5);
        Model student = model(6)) {
      Map<String, BitSet> zeros = zeros(teacher);
      float[] before = predictions(teacher);
      Trainer.of(student).term(Distillation.from(teacher)).epochs(1).fit(few());
      assertThat(zeros(teacher)).isEqualTo(zeros);
      assertThat(predictions(teacher)).containsExactly(before);
    }
  }

  /** Narrow layers first, single weights of those next, then int8: masks follow the new shapes. */
  @Test
  void narrowLayersAreThinnedAndQuantized() {
    try (Model model = model(7)) {
      Trainer.of(model).epochs(1).fit(few());
      Pruner.magnitude().pattern(Pattern.channel()).prune(model, 0.5);
      try (Model narrow = Shrinker.shrink(model)) {
        assertThat(narrow.table().trainedElements()).isLessThan(model.table().trainedElements());
        Pruner.magnitude().prune(narrow, 0.5);
        Map<String, BitSet> zeros = zeros(narrow);
        narrow.save(folder.resolve("narrow"));
        try (Model loaded = Model.load(folder.resolve("narrow"))) {
          Trainer.of(loaded).epochs(1).fit(few());
          assertKept(zeros, loaded);
          try (Model quantized = Quantizer.standard().quantize(loaded, few())) {
            assertKept(zeros, quantized);
          }
        }
      }
    }
  }
}
