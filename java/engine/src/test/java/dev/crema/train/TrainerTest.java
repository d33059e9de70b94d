package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.nn.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What {@link Trainer} makes of a small network under every optimiser and setting, against the same
 * training written out in float64. Ten rows in batches of four: the last has two.
 */
class TrainerTest {
  private static final int BATCH = 4;
  private static final int BATCHES = 3;
  private static final int EPOCHS = 4;
  private static final double RATE = 0.03;

  // A dozen steps in float32 on values around 1; a step may differ by a few units of 6e-8.
  private static final double TOLERANCE = 3e-6;

  /** A training in float64. Settings are those of {@link Trainer}, by their default. */
  private static final class Reference {
    private final TwoLayer64 network;
    private final Optimizer64 optimizer;
    private DoubleUnaryOperator rate = step -> RATE;
    private int accumulate = 1;
    private double clipNorm = Double.POSITIVE_INFINITY;
    private double clipValue = Double.POSITIVE_INFINITY;
    private String frozen = "none";
    private String group = "none";
    private double groupFactor = 1;
    private double groupDecay = Double.NaN;
    private final List<Double> ratesOfEpochs = new ArrayList<>();
    private int updates;

    Reference(TwoLayer64 network, Optimizer64 optimizer) {
      this.network = network;
      this.optimizer = optimizer;
    }

    void train() {
      for (int epoch = 0; epoch < EPOCHS; epoch++) {
        for (int batch = 0; batch < BATCHES; batch += accumulate) {
          int last = Math.min(BATCHES, batch + accumulate);
          update(clipped(mean(batch, last)), rate.applyAsDouble(updates));
          updates++;
        }
        ratesOfEpochs.add(rate.applyAsDouble(updates - 1));
      }
    }

    private Map<String, double[]> mean(int batch, int last) {
      Map<String, double[]> sum = new LinkedHashMap<>();
      for (int b = batch; b < last; b++) {
        network
            .gradients(b * BATCH, Math.min(TwoLayer64.ROWS, (b + 1) * BATCH))
            .forEach(
                (path, g) -> {
                  double[] s = sum.computeIfAbsent(path, p -> new double[g.length]);
                  for (int i = 0; i < g.length; i++) {
                    s[i] += g[i] / (last - batch);
                  }
                });
      }
      sum.keySet().removeIf(path -> path.startsWith(frozen));
      return sum;
    }

    private Map<String, double[]> clipped(Map<String, double[]> gradients) {
      double squares = 0;
      for (double[] g : gradients.values()) {
        for (double v : g) {
          squares += v * v;
        }
      }
      double scale = Math.min(1, clipNorm / Math.sqrt(squares));
      for (double[] g : gradients.values()) {
        for (int i = 0; i < g.length; i++) {
          g[i] = Math.max(-clipValue, Math.min(clipValue, g[i] * scale));
        }
      }
      return gradients;
    }

    private void update(Map<String, double[]> gradients, double at) {
      gradients.forEach(
          (path, g) -> {
            boolean own = path.startsWith(group);
            optimizer.update(
                path,
                network.parameters.get(path),
                g,
                own ? at * groupFactor : at,
                own && !Double.isNaN(groupDecay) ? groupDecay : optimizer.weightDecay(),
                updates + 1);
          });
    }
  }

  private interface Settings {
    void apply(Trainer trainer, Reference reference);
  }

  private static void check(String optimizer, double decay, Settings settings) {
    check(optimizer, decay, 0, 0, settings);
  }

  private static void check(
      String optimizer, double decay, double l1, double l2, Settings settings) {
    try (Model model = TwoLayer64.model(l1, l2)) {
      TwoLayer64 network = new TwoLayer64(model, l1, l2);
      Reference reference = new Reference(network, new Optimizer64(optimizer, decay));
      Trainer trainer =
          Trainer.of(model)
              .optimizer(Optimizer.of(optimizer, RATE).withWeightDecay(decay))
              .batchSize(BATCH)
              .epochs(EPOCHS)
              .shuffle(false);
      settings.apply(trainer, reference);
      Map<String, float[]> before = new LinkedHashMap<>();
      TwoLayer64.PATHS.forEach(path -> before.put(path, model.get(path)));

      History history = trainer.fit(TwoLayer64.data());
      reference.train();

      for (String path : TwoLayer64.PATHS) {
        float[] got = model.get(path);
        double[] expected = network.parameters.get(path);
        for (int i = 0; i < got.length; i++) {
          assertThat((double) got[i])
              .as("%s[%d]", path, i)
              .isCloseTo(expected[i], within(TOLERANCE));
        }
        if (path.startsWith(reference.frozen)) {
          assertThat(got).as(path).isEqualTo(before.get(path));
        } else {
          assertThat(got).as(path).isNotEqualTo(before.get(path));
        }
      }
      double[] rates = history.series("learning_rate");
      for (int e = 0; e < EPOCHS; e++) {
        assertThat(rates[e]).isCloseTo(reference.ratesOfEpochs.get(e), within(1e-12));
      }
    }
  }

  static Stream<Arguments> optimizers() {
    return Optimizer.NAMES.stream()
        .flatMap(name -> Stream.of(Arguments.of(name, 0.0), Arguments.of(name, 0.1)));
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void everyOptimiserWithAndWithoutWeightDecay(String name, double decay) {
    check(name, decay, (trainer, reference) -> {});
  }

  /** A schedule, and its formula in the number of the step of 12. */
  private record Scheduled(String name, LearningRate schedule, DoubleUnaryOperator formula) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Scheduled> schedules() {
    double total = BATCHES * EPOCHS;
    return Stream.of(
        new Scheduled("constant", LearningRate.constant(0.05), s -> 0.05),
        new Scheduled(
            "step", LearningRate.step(0.08, 0.5, 4), s -> s < 4 ? 0.08 : s < 8 ? 0.04 : 0.02),
        new Scheduled(
            "exponential",
            LearningRate.exponential(0.08, 0.25, 6),
            s -> 0.08 * Math.exp(Math.log(0.25) * s / 6)),
        new Scheduled(
            "polynomial",
            LearningRate.polynomial(0.08, 0.02, 2),
            s -> 0.02 + 0.06 * (1 - s / total) * (1 - s / total)),
        new Scheduled(
            "cosine",
            LearningRate.cosine(0.08, 0.01, 3),
            s ->
                s < 3
                    ? 0.08 * (s + 1) / 3
                    : 0.01 + 0.07 * Math.pow(Math.cos(Math.PI * (s - 3) / (total - 3) / 2), 2)),
        new Scheduled(
            "one-cycle",
            LearningRate.oneCycle(0.1, 0.25),
            s ->
                s < 3
                    ? 0.1 - 0.096 * Math.pow(Math.cos(Math.PI * s / 6), 2)
                    : 0.1 / 250_000
                        + (0.1 - 0.1 / 250_000)
                            * Math.pow(Math.cos(Math.PI * (s - 3) / 9 / 2), 2)));
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void everyScheduleOfTheLearningRate(Scheduled scheduled) {
    check(
        "sgd",
        0,
        (trainer, reference) -> {
          trainer.schedule(scheduled.schedule);
          reference.rate = scheduled.formula;
        });
  }

  @Test
  void aScheduleCountsUpdatesNotBatches() {
    check(
        "momentum",
        0,
        (trainer, reference) -> {
          trainer.schedule(LearningRate.polynomial(0.08, 0, 1)).accumulate(2);
          reference.accumulate = 2;
          reference.rate = s -> 0.08 * (1 - s / 8); // two updates in each of four epochs
        });
  }

  @ParameterizedTest
  @CsvSource({"sgd, 0.05", "sgd, 100", "adam, 0.05", "momentum, 0.2"})
  void clippingByValue(String optimizer, double most) {
    check(
        optimizer,
        0,
        (trainer, reference) -> {
          trainer.clipValue(most);
          reference.clipValue = most;
        });
  }

  @ParameterizedTest
  @CsvSource({"sgd, 0.1", "sgd, 100", "nesterov, 0.5", "rmsprop, 0.01"})
  void clippingByTheNormOfAllGradients(String optimizer, double most) {
    check(
        optimizer,
        0.01,
        (trainer, reference) -> {
          trainer.clipNorm(most);
          reference.clipNorm = most;
        });
  }

  @ParameterizedTest
  @CsvSource({"0.1, 0", "0, 0.2", "0.05, 0.1"})
  void penaltiesOfAKernelAddToItsGradient(double l1, double l2) {
    check("sgd", 0, l1, l2, (trainer, reference) -> {});
    check("adam", 0, l1, l2, (trainer, reference) -> {});
  }

  @ParameterizedTest
  @CsvSource({"sgd, 2", "sgd, 3", "sgd, 7", "adam, 2", "lamb, 3"})
  void gradientsOfSeveralBatchesAreAveraged(String optimizer, int batches) {
    check(
        optimizer,
        0,
        (trainer, reference) -> {
          trainer.accumulate(batches);
          reference.accumulate = batches;
        });
  }

  @ParameterizedTest
  @CsvSource({"a, adamw", "b, adamw", "a, lamb", "b, momentum"})
  void frozenLayersStayAndCountInNoNorm(String layer, String optimizer) {
    check(
        optimizer,
        0.1,
        (trainer, reference) -> {
          trainer.freeze(layer).clipNorm(0.2);
          reference.frozen = layer;
          reference.clipNorm = 0.2;
        });
  }

  static Stream<Arguments> groups() {
    return Optimizer.NAMES.stream()
        .flatMap(name -> Stream.of(Arguments.of(name, 0.1), Arguments.of(name, Double.NaN)));
  }

  @ParameterizedTest
  @MethodSource("groups")
  void aGroupHasItsOwnRateAndDecay(String optimizer, double decay) {
    check(
        optimizer,
        0.02,
        (trainer, reference) -> {
          trainer.group(new ParameterGroup(List.of("a"), 0.5, decay));
          reference.group = "a";
          reference.groupFactor = 0.5;
          reference.groupDecay = decay;
        });
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void everythingAtOnce(String optimizer, double decay) {
    UnaryOperator<Double> rate = s -> 0.005 + 0.02 * (1 - s / 8);
    check(
        optimizer,
        decay,
        0.01,
        0.02,
        (trainer, reference) -> {
          trainer
              .accumulate(2)
              .clipNorm(0.8)
              .clipValue(0.3)
              .schedule(LearningRate.polynomial(0.025, 0.005, 1))
              .group(new ParameterGroup(List.of("b"), 2, 0.05));
          reference.accumulate = 2;
          reference.clipNorm = 0.8;
          reference.clipValue = 0.3;
          reference.rate = rate::apply;
          reference.group = "b";
          reference.groupFactor = 2;
          reference.groupDecay = 0.05;
        });
  }
}
