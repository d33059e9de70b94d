package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Example;
import dev.crema.device.Device;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import dev.crema.train.Losses;
import dev.crema.train.Trainer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The guard: what a search keeps and refuses, with candidates and clocks made for the test. */
class CompressionTest {
  /** Nanoseconds of each candidate by its name, at batch 1 and 32; of others 1,000 and 10,000. */
  private static final class FakeClock implements Stopwatch {
    private final Map<String, double[]> times = new HashMap<>();

    FakeClock with(String name, double one, double batch) {
      times.put(name, new double[] {one, batch});
      return this;
    }

    @Override
    public double[] medians(
        List<Candidate> candidates, int batch, Dataset data, int threads, Device device) {
      return candidates.stream()
          .mapToDouble(
              c -> times.getOrDefault(c.name(), new double[] {1000, 10_000})[batch == 1 ? 0 : 1])
          .toArray();
    }
  }

  private final FakeClock clock = new FakeClock();
  private final List<Model> made = new ArrayList<>();
  private Model model;

  /** Class 1 where x0 + x1 is more than 0; the other inputs count nothing. */
  @BeforeEach
  void makeAModel() {
    model = Model.sequential(4).dense(2, Activation.SOFTMAX).build(1);
    model.set("dense_1/kernel", new float[] {-1, 1, -1, 1, 0, 0, 0, 0});
  }

  @AfterEach
  void close() {
    model.close();
    made.forEach(Model::close);
  }

  /** Examples of which only one of the first two inputs is not 0. */
  private static Dataset data(int rows, int input, long seed) {
    Random random = new Random(seed);
    float[][] x = new float[rows][4];
    int[] y = new int[rows];
    for (int i = 0; i < rows; i++) {
      x[i][input] = (float) random.nextGaussian();
      x[i][2] = (float) random.nextGaussian();
      y[i] = x[i][input] > 0 ? 1 : 0;
    }
    return Datasets.of(x, y);
  }

  private Compression search(Strategy strategy) {
    Compression compression =
        Compression.optimize(model, data(100, 0, 1))
            .validation(data(400, 0, 2))
            .threads(1)
            .device(Device.cpu());
    compression.stopwatch = clock;
    compression.strategy = strategy;
    return compression;
  }

  /** A copy that weighs an input otherwise. */
  private Supplier<Model> weighing(int input, float weight) {
    return () -> {
      Model copy = model.copy();
      made.add(copy);
      float[] kernel = copy.get("dense_1/kernel");
      kernel[2 * input] = -weight;
      kernel[2 * input + 1] = weight;
      copy.set("dense_1/kernel", kernel);
      return copy;
    };
  }

  private static void attempt(CandidateSearch search, String name, Supplier<Model> maker) {
    search.attempt(name, maker).close();
  }

  private static Trial trial(CompressionResult result, String name) {
    return result.trials().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  private void requireClosed(int of) {
    assertThatThrownBy(() -> made.get(of).parameters()).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void keepsTheFastestThatIsAccurate() {
    clock.with("fast", 500, 4000).with("faster", 400, 4000).with("wrong", 10, 10);
    Strategy all =
        s -> {
          attempt(s, "fast", weighing(0, 2));
          attempt(s, "wrong", weighing(0, -1));
          attempt(s, "faster", weighing(0, 3));
        };
    try (CompressionResult r = search(all).run()) {
      assertThat(r.paid()).isTrue();
      assertThat(r.kept().name()).isEqualTo("faster");
      assertThat(r.model().get("dense_1/kernel")[1]).isEqualTo(3);
      assertThat(trial(r, "fast").outcome()).isEqualTo(Trial.Outcome.PASSED);
      assertThat(trial(r, "fast").reason()).isEqualTo("what is kept is faster");
      assertThat(trial(r, "wrong").outcome()).isEqualTo(Trial.Outcome.REFUSED);
      assertThat(trial(r, "wrong").reason())
          .contains("accuracy falls by 100.00 points, allowed are 0.50 points");
      assertThat(r.paretoFront()).extracting(Trial::name).containsExactly("wrong", "faster");
      List<Figures> sides = r.comparison().models();
      assertThat(sides).extracting(Figures::name).containsExactly("before", "after");
      assertThat(sides.get(1).nanosOf1() / sides.get(0).nanosOf1()).isEqualTo(0.4);
      assertThat(sides.get(1).evaluation().examples()).isEqualTo(200);
      requireClosed(0);
      requireClosed(1);
    }
    requireClosed(2);
  }

  @Test
  void keepsNothingThatIsSlowerAtEitherBatchOrHardlyFaster() {
    clock.with("slow 1", 1040, 100).with("slow 32", 100, 10_400).with("same", 980, 9500);
    Strategy all =
        s -> {
          attempt(s, "slow 1", weighing(0, 2));
          attempt(s, "slow 32", weighing(0, 2));
          attempt(s, "same", weighing(0, 2));
        };
    try (CompressionResult r = search(all).run()) {
      assertThat(r.paid()).isFalse();
      assertThat(r.kept().outcome()).isEqualTo(Trial.Outcome.ORIGINAL);
      assertThat(trial(r, "slow 1").reason()).isEqualTo("slower at batch 1: 1.04 times as long");
      assertThat(trial(r, "slow 32").reason()).isEqualTo("slower at batch 32: 1.04 times as long");
      assertThat(trial(r, "same").reason()).isEqualTo("no faster: 0.96 times as long");
      assertThat(r.model()).isNotSameAs(model);
      assertThat(r.model().get("dense_1/kernel")).isEqualTo(model.get("dense_1/kernel"));
      assertThat(r.comparison().models()).extracting(Figures::name).containsExactly("before");
      assertThat(r.toString()).contains("Nothing paid: no form is faster and loses no more than");
    }
    for (int i = 0; i < 3; i++) {
      requireClosed(i);
    }
  }

  @Test
  void whatLooksFastOnceMustBeSoWhenItIsMeasuredAgain() {
    AtomicInteger calls = new AtomicInteger();
    Compression compression =
        search(
            s -> {
              attempt(s, "lucky", weighing(0, 2));
              attempt(s, "fast", weighing(0, 3));
            });
    clock.with("fast", 800, 8000);
    compression.stopwatch =
        (candidates, batch, data, threads, device) -> {
          boolean first = calls.incrementAndGet() <= 6; // the original, then two pairs
          clock.with("lucky", first ? 100 : 1200, first ? 100 : 9000);
          return clock.medians(candidates, batch, data, threads, device);
        };
    try (CompressionResult r = compression.run()) {
      assertThat(r.kept().name()).isEqualTo("fast");
      assertThat(trial(r, "lucky").reason())
          .isEqualTo("measured again it is slower at batch 1: 1.20 times as long");
    }
  }

  @Test
  void onABusyMachineOnlyWhatIsFasterByMoreThanTheNoisePasses() {
    AtomicInteger calls = new AtomicInteger();
    clock.with("fast", 800, 8000).with("faster", 500, 5000);
    Compression compression =
        search(
            s -> {
              attempt(s, "fast", weighing(0, 2));
              attempt(s, "faster", weighing(0, 2));
            });
    compression.stopwatch =
        (candidates, batch, data, threads, device) -> {
          calls.incrementAndGet();
          double[] nanos = clock.medians(candidates, batch, data, threads, device);
          nanos[nanos.length - 1] *= 1.5; // the original, the second time
          return nanos;
        };
    try (CompressionResult r = compression.run()) {
      assertThat(calls.get()).as("each time is taken three times").isEqualTo(3 * 2 * 4);
      assertThat(r.kept().name()).isEqualTo("faster");
      assertThat(trial(r, "fast").reason())
          .isEqualTo(
              "no faster: 0.65 times as long, where the original differs from itself by 50 %");
      assertThat(r.notes())
          .anyMatch(n -> n.startsWith("This machine is busy: ") && n.contains("50 %"));
    }
    calls.set(0);
    compression.stopwatch =
        (candidates, batch, data, threads, device) -> {
          double[] nanos = clock.medians(candidates, batch, data, threads, device);
          nanos[0] *= calls.getAndIncrement() % 2 == 0 ? 3 : 1; // every other time is disturbed
          return nanos;
        };
    try (CompressionResult r = compression.run()) {
      assertThat(trial(r, "fast").figures().nanosOf1()).isEqualTo(800);
      assertThat(trial(r, "fast").outcome()).isEqualTo(Trial.Outcome.PASSED);
      assertThat(r.notes()).noneMatch(n -> n.contains("busy"));
    }
  }

  @Test
  void ofEqualCostsTheMoreAccurateThenTheSmallerThenTheFirstIsKept() {
    Compression quarter = search(s -> {}).maxAccuracyDrop(0.5);
    float[] hint = {-1, 1, -1, 1, -0.3f, 0.3f, 0, 0}; // some answers go wrong
    Supplier<Model> lessAccurate =
        () -> {
          Model copy = weighing(0, 1).get();
          copy.set("dense_1/kernel", hint);
          return copy;
        };
    Supplier<Model> smaller =
        () -> {
          Model copy = weighing(0, 1).get();
          copy.metadata().removeAll();
          return copy;
        };
    model.metadata().put("note", "so that the file of a copy without it is smaller");
    clock.with("a", 500, 5000).with("b", 510, 5050).with("c", 515, 5020).with("d", 500, 5000);
    quarter.strategy =
        s -> {
          attempt(s, "a", lessAccurate);
          attempt(s, "b", weighing(0, 1));
          attempt(s, "c", smaller);
          attempt(s, "d", smaller);
        };
    try (CompressionResult r = quarter.run()) {
      double lost = r.trials().get(1).figures().evaluation().classification().accuracy();
      assertThat(lost).isBetween(0.6, 0.99);
      assertThat(r.kept().name()).isEqualTo("c"); // as small as "d", and before it
      assertThat(trial(r, "a").reason()).isEqualTo("as good, and what is kept is no less accurate");
    }
  }

  @Test
  void whatLosesAccuracyOnTheExamplesOfTheEndIsNotKept() {
    clock.with("blind", 100, 1000).with("sound", 500, 5000);
    Strategy all =
        s -> {
          attempt(s, "blind", weighing(1, 0));
          attempt(s, "sound", weighing(1, 2));
        };
    Compression compression = search(all).test(data(300, 1, 5));
    try (CompressionResult r = compression.run()) {
      assertThat(r.kept().name()).isEqualTo("sound");
      assertThat(trial(r, "blind").outcome()).isEqualTo(Trial.Outcome.REFUSED);
      assertThat(trial(r, "blind").reason())
          .startsWith("on the examples set apart for the end, accuracy");
      assertThat(r.comparison().models().get(1).evaluation().examples()).isEqualTo(300);
      assertThat(r.notes().get(0)).contains("400 examples", "300 other examples");
      assertThat(r.notes()).anyMatch(n -> n.contains("not quite independent of the choice: 1"));
    }
  }

  @Test
  void forSizeTheFileCountsAndNotTheClock() {
    clock.with("int8", 2000, 20_000).with("copy", 10, 10);
    Dataset calibration = data(100, 0, 7);
    try (Model wide = Model.sequential(4).dense(256, Activation.RELU).dense(2).build(3)) {
      model.close();
      model = wide.copy();
      Trainer.of(model).threads(1).epochs(3).fit(data(500, 0, 4));
      Compression compression =
          search(
                  s -> {
                    attempt(s, "copy", model::copy);
                    attempt(s, "int8", () -> Quantizer.standard().quantize(model, calibration));
                  })
              .target(Target.SIZE)
              .maxAccuracyDrop(0.05);
      try (CompressionResult r = compression.run()) {
        assertThat(trial(r, "copy").reason()).isEqualTo("no smaller: 1.000 times the file");
        assertThat(r.kept().name()).isEqualTo("int8");
        assertThat(r.model().quantization()).isNotNull();
        assertThat(r.paretoFront()).extracting(Trial::name).contains("int8");
      }
    }
  }

  @Test
  void onlyAFewOfTheBestStayOpenUntilTheEnd() {
    int count = 12;
    for (int i = 0; i < count; i++) {
      clock.with("" + i, 900 * Math.pow(0.9, i), 9000 * Math.pow(0.9, i));
    }
    Strategy many =
        s -> {
          for (int i = 0; i < count; i++) {
            attempt(s, "" + i, weighing(0, 1 + i));
            long open =
                made.stream()
                    .filter(
                        m -> {
                          try {
                            return m.parameters() != null;
                          } catch (IllegalStateException e) {
                            return false;
                          }
                        })
                    .count();
            assertThat(open).isLessThanOrEqualTo(4);
          }
        };
    try (CompressionResult r = search(many).run()) {
      assertThat(r.kept().name()).isEqualTo("11");
      assertThat(r.trials()).hasSize(count + 1);
      assertThat(r.trials().subList(1, count))
          .allMatch(t -> t.outcome() == Trial.Outcome.PASSED && !t.reason().isEmpty());
    }
  }

  @Test
  void whatCannotBeMadeIsNotedAndOtherExceptionsComeThroughWithoutALeak() {
    clock.with("fast", 500, 5000);
    Strategy impossible =
        s -> {
          attempt(
              s,
              "odd",
              () -> {
                throw new CremaException("no such layer");
              });
          attempt(s, "fast", weighing(0, 2));
        };
    try (CompressionResult r = search(impossible).run()) {
      Trial odd = trial(r, "odd");
      assertThat(odd.outcome()).isEqualTo(Trial.Outcome.IMPOSSIBLE);
      assertThat(odd.reason()).isEqualTo("no such layer");
      assertThat(odd.figures()).isNull();
      assertThat(r.kept().name()).isEqualTo("fast");
      assertThat(r.table()).contains("impossible: no such layer");
    }
    Strategy failing =
        s -> {
          attempt(s, "fast", weighing(0, 2));
          try (var held = s.attempt("held", weighing(0, 3))) {
            assertThat(held.model()).isNotNull();
            attempt(
                s,
                "bug",
                () -> {
                  throw new UnsupportedOperationException("a bug");
                });
          }
        };
    assertThatThrownBy(() -> search(failing).run())
        .isInstanceOf(UnsupportedOperationException.class);
    Compression talking =
        search(s -> attempt(s, "fast", weighing(0, 2)))
            .listener(
                new Compression.Listener() {
                  @Override
                  public void tried(Trial trial) {
                    if (trial.name().equals("fast")) {
                      throw new IllegalStateException("the listener's own");
                    }
                  }
                });
    assertThatThrownBy(talking::run).hasMessage("the listener's own");
    for (int i = 0; i < made.size(); i++) {
      requireClosed(i);
    }
  }

  @Test
  void aSearchThatIsCancelledOrOutOfTimeKeepsTheBestSoFar() {
    clock.with("fast", 500, 5000).with("faster", 50, 500);
    List<String> heard = new ArrayList<>();
    Strategy two =
        s -> {
          attempt(s, "fast", weighing(0, 2));
          attempt(s, "faster", weighing(0, 2));
        };
    Compression compression =
        search(two)
            .listener(
                new Compression.Listener() {
                  @Override
                  public void starting(String name) {
                    heard.add(name);
                  }

                  @Override
                  public void tried(Trial trial) {
                    heard.add(trial.name() + " " + trial.outcome());
                  }
                });
    try (CompressionResult r = compression.cancelWhen(() -> heard.contains("fast PASSED")).run()) {
      assertThat(heard).containsExactly("original ORIGINAL", "fast", "fast PASSED");
      assertThat(r.kept().name()).isEqualTo("fast");
      assertThat(r.notes()).contains("Not all was tried: the search was cancelled.");
    }
    try (CompressionResult r = search(two).budget(Duration.ofNanos(1)).run()) {
      assertThat(r.paid()).isFalse();
      assertThat(r.trials()).hasSize(1);
      assertThat(r.notes()).anyMatch(n -> n.startsWith("Not all was tried: the time for the sea"));
    }
  }

  @Test
  void aTrainingIsGivenUpWhenTheSearchIsCancelled() {
    AtomicInteger asked = new AtomicInteger();
    Strategy training =
        s -> {
          attempt(
              s,
              "trained",
              () -> {
                Model copy = weighing(0, 2).get();
                s.trainer(Trainer.of(copy), 1).fit(s.train());
                return copy;
              });
          attempt(s, "never", weighing(0, 2));
        };
    try (CompressionResult r =
        search(training).epochs(1_000_000).cancelWhen(() -> asked.incrementAndGet() > 10).run()) {
      assertThat(trial(r, "trained").reason()).isEqualTo("given up: the search was cancelled");
      assertThat(r.trials()).hasSize(2);
    }
  }

  @Test
  void regressionsAreJudgedByTheShareOfVarianceThatTheyExplain() {
    Random random = new Random(3);
    float[][] x = new float[600][2];
    float[][] y = new float[600][1];
    for (int i = 0; i < x.length; i++) {
      x[i][0] = (float) random.nextGaussian();
      x[i][1] = (float) random.nextGaussian();
      y[i][0] = x[i][0] + 0.5f * x[i][1];
    }
    Dataset data = Datasets.regression(x, y);
    try (Model line = Model.sequential(2).dense(1).build(1)) {
      line.set("dense_1/kernel", new float[] {1, 0.5f});
      clock.with("near", 400, 4000).with("far", 100, 1000);
      Compression compression = Compression.optimize(line, data).threads(1);
      compression.stopwatch = clock;
      compression.strategy =
          s -> {
            for (float weight : new float[] {0.48f, 0.3f}) {
              attempt(
                  s,
                  weight > 0.4 ? "near" : "far",
                  () -> {
                    Model copy = line.copy();
                    copy.set("dense_1/kernel", new float[] {1, weight});
                    return copy;
                  });
            }
          };
      try (CompressionResult r = compression.run()) {
        assertThat(r.kept().name()).isEqualTo("near");
        assertThat(trial(r, "far").reason()).startsWith("R² falls by 0.03").contains("are 0.0050");
        assertThat(r.toJson().get("metric").asText()).isEqualTo("r2");
        assertThat(r.plot().toSvg()).contains("R²", "least R² allowed");
      }
    }
    Dataset constant = Datasets.regression(x, new float[600][1]);
    try (Model line = Model.sequential(2).dense(1).build(1)) {
      assertThatThrownBy(() -> Compression.optimize(line, constant).run())
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("all targets of an output are the same")
          .hasMessageContaining("120 examples");
    }
  }

  @Test
  void yesOrNoLabelsAreJudgedByTheShareThatIsRight() {
    Random random = new Random(6);
    float[][] x = new float[500][2];
    float[][] y = new float[500][2];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < 2; j++) {
        x[i][j] = (float) random.nextGaussian();
        y[i][j] = x[i][j] > 0 ? 1 : 0;
      }
    }
    Dataset data = Datasets.regression(x, y);
    try (Model labels = Model.sequential(2).dense(2, Activation.SIGMOID).build(1)) {
      labels.metadata().put("loss", Losses.binaryCrossentropy().name());
      labels.set("dense_1/kernel", new float[] {9, 0, 0, 9});
      clock.with("half", 100, 1000).with("all", 500, 5000);
      Compression compression = Compression.optimize(labels, data).threads(1);
      compression.stopwatch = clock;
      compression.strategy =
          s -> {
            for (float weight : new float[] {-9, 5}) {
              attempt(
                  s,
                  weight < 0 ? "half" : "all",
                  () -> {
                    Model copy = labels.copy();
                    copy.set("dense_1/kernel", new float[] {9, 0, 0, weight});
                    return copy;
                  });
            }
          };
      try (CompressionResult r = compression.run()) {
        assertThat(r.kept().name()).isEqualTo("all");
        assertThat(trial(r, "half").reason()).startsWith("accuracy falls by 50.00 points");
      }
    }
  }

  @Test
  void whereTheBestAreRefusedAtTheEndTheOthersSayThatTheyWereNotLookedAtAgain() {
    Strategy five =
        s -> {
          for (int i = 0; i < 5; i++) {
            clock.with("" + i, 500 * Math.pow(0.9, i), 5000 * Math.pow(0.9, i));
            attempt(s, "" + i, weighing(1, 0));
          }
        };
    try (CompressionResult r = search(five).test(data(300, 1, 5)).run()) {
      assertThat(r.paid()).isFalse();
      assertThat(trial(r, "0").reason()).startsWith("better ones were measured again instead");
      for (int i = 1; i < 5; i++) {
        assertThat(trial(r, "" + i).reason()).startsWith("on the examples set apart for the end");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.001, Double.NaN, 1.5, Double.POSITIVE_INFINITY})
  void aDropIsAShare(double drop) {
    assertThatThrownBy(() -> search(s -> {}).maxAccuracyDrop(drop))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("from 0 to 1, such as 0.005")
        .hasMessageContaining("" + drop);
  }

  @Test
  void badUseIsExplained() {
    Dataset data = data(200, 0, 1);
    Compression any = Compression.optimize(model, data);
    assertThatThrownBy(() -> any.epochs(-1)).hasMessage("epochs must be at least 0, got -1");
    assertThatThrownBy(() -> any.batchSize(0)).hasMessageContaining("at least 1, got 0");
    assertThatThrownBy(() -> any.threads(-1)).hasMessageContaining("at least 0, got -1");
    assertThatThrownBy(() -> any.budget(Duration.ZERO)).hasMessageContaining("more than no time");
    assertThatThrownBy(() -> any.target(null)).hasMessage("target");
    assertThatThrownBy(() -> Compression.optimize(null, data)).hasMessage("model");
    assertThatThrownBy(() -> Compression.optimize(model, data).validation(data).run())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("are the same as other data");
    Dataset held = data(100, 0, 2);
    assertThatThrownBy(() -> Compression.optimize(model, data).validation(held).test(held).run())
        .hasMessageContaining("The test data are the same");
    for (Dataset few : new Dataset[] {data.take(0), data.take(19)}) {
      assertThatThrownBy(() -> Compression.optimize(model, data).validation(few).run())
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("cannot be told on " + few.size() + " examples");
      assertThatThrownBy(() -> Compression.optimize(model, few).run())
          .hasMessageContaining("cannot be told on " + few.size() + " examples");
    }
    Dataset other = Datasets.of(new float[60][7], new int[60]);
    assertThatThrownBy(() -> Compression.optimize(model, other).validation(other.take(50)).run())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("[n, 4]");
    try (Model int8 = Quantizer.standard().quantize(model, data)) {
      assertThatThrownBy(() -> Compression.optimize(int8, data))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("quantized already")
          .hasMessageContaining("it was made of");
    }
    Symbol x = Symbol.input("x", 4);
    try (Model two =
        Model.of(List.of(x), List.of(Dense.of(1).named("a", x), Dense.of(1).named("b", x)), 1)) {
      assertThatThrownBy(() -> Compression.optimize(two, data))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("the outputs [a, b]");
    }
  }

  @Test
  void tooFewExamplesForTwoHalvesAreUsedForBothAndTheResultSaysSo() {
    clock.with("fast", 500, 5000);
    Compression compression =
        search(s -> attempt(s, "fast", weighing(0, 2))).validation(data(60, 0, 9));
    try (CompressionResult r = compression.run()) {
      assertThat(r.kept().name()).isEqualTo("fast");
      assertThat(r.notes().get(0)).startsWith("Only 60 examples").contains("flatters");
      assertThat(r.notes().get(1))
          .isEqualTo("One example of 60 is more than the drop that is allowed: use more of them.");
      assertThat(r.comparison().models().get(1).evaluation().examples()).isEqualTo(60);
    }
  }

  @Test
  void streamsOfUnknownLengthAreParted() {
    List<Example> examples = new ArrayList<>();
    Random random = new Random(8);
    for (int i = 0; i < 400; i++) {
      float[] row = {(float) random.nextGaussian(), 0, (float) random.nextGaussian(), 0};
      examples.add(Example.classified(row, row[0] > 0 ? 1 : 0));
    }
    Dataset like = data(1, 0, 1);
    Dataset stream = Datasets.stream(like.inputs(), like.target(), List.of("0", "1"), examples);
    clock.with("fast", 500, 5000);
    Compression compression = Compression.optimize(model, stream).threads(1);
    compression.stopwatch = clock;
    compression.strategy =
        s -> {
          attempt(s, "fast", weighing(0, 2));
          attempt(s, "int8", () -> Quantizer.standard().quantize(model, s.calibration()));
        };
    try (CompressionResult r = compression.run()) {
      assertThat(r.kept().name()).isEqualTo("fast");
      assertThat(trial(r, "int8").figures()).isNotNull();
      assertThat(r.comparison().models().get(0).evaluation().examples()).isBetween(20L, 70L);
    }
  }

  @Test
  void theResultIsATableJsonAndAPlot() {
    clock.with("fast", 500, 5000).with("wrong", 100, 1000);
    Strategy all =
        s -> {
          attempt(s, "fast", weighing(0, 2));
          attempt(s, "wrong", weighing(0, -1));
          attempt(
              s,
              "none",
              () -> {
                throw new CremaException("cannot");
              });
        };
    try (CompressionResult r = search(all).run()) {
      assertThat(r.toString())
          .contains("fast", "wrong", "0.50×", "-100.00 points", "* no other is both", "Kept: fast")
          .contains("before", "after", "latency, batch 32");
      JsonNode json = r.toJson();
      assertThat(json.get("kept").asText()).isEqualTo("fast");
      assertThat(json.get("paid").asBoolean()).isTrue();
      assertThat(json.get("trials")).hasSize(4);
      assertThat(json.at("/trials/1/outcome").asText()).isEqualTo("kept");
      assertThat(json.at("/trials/1/latency_us_batch_1").asDouble()).isEqualTo(0.5);
      assertThat(json.at("/trials/3/reason").asText()).isEqualTo("cannot");
      assertThat(json.at("/after/accuracy").asDouble()).isEqualTo(1);
      assertThat(json.get("pareto_front")).hasSize(2);
      String svg = r.plot().toSvg();
      assertThat(svg)
          .contains("Pareto front", "original", "kept", "least accuracy allowed", "fast");
      assertThat(svg).contains("1 of 3 lie below").doesNotContain("NaN");
      assertThat(Arrays.toString(r.model().get("dense_1/kernel"))).contains("2.0");
    }
  }
}
