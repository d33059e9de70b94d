package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.train.Trainer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** The guard: what a search keeps and refuses, with candidates and clocks made for the test. */
class CompressionTest extends MadeUpSearch {
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
          .contains("before", "after", "latency, batch 32")
          .containsPattern("3 forms tried in \\d+\\.\\d s\nKept: fast");
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
