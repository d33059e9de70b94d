package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.CapturedLog;
import dev.crema.CremaException;
import dev.crema.device.cuda.ByteLayer.Kind;
import dev.crema.plan.Plan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which of several ways to compute a layer of bytes a card takes, where it may measure. */
class WaysTest {
  private static final int INVALID_VALUE = 1;
  private static final int OUT_OF_MEMORY = 2;
  private static final int ILLEGAL_ADDRESS = 700;
  private static final int CAPTURE_UNSUPPORTED = 900;
  private static final int IN = 48;
  private static final int UNITS = 32;
  private static final int ROWS = 7;
  private static final String DENSE = "quantized_linear [8, 48] x [48, 32] into UINT8";
  private static final String DENSE_BY = "quantized_linear .* into UINT8, tried by \\w+";
  private static final String KERNEL = "cuLaunchKernel quantized_linear_";

  private final FakeCard fake = new FakeCard();

  @BeforeEach
  void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    fake.fakeDriver().multiprocessors = 2; // the rule takes tiles of 128
    takes("cuLaunchKernel", 1);
  }

  private void takes(String call, float milliseconds) {
    fake.fakeDriver().milliseconds.put(call, milliseconds);
  }

  /** Another millisecond for each kernel but that one; the rule's is not faster than others. */
  private void fastest(String kind) {
    takes("cuLaunchKernel", 0);
    takes("cublasLtMatmul", 5);
    for (String each : List.of("tiles_128", "tiles_64", "strips_32", "strips_8")) {
      takes(KERNEL + each, each.equals(kind) ? 1 : 2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiles_128", "tiles_64", "strips_32", "strips_8"})
  void theFastestIsTakenFromTheSecondRunOnAndByOtherPlans(String kind) {
    fastest(kind);
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      byte[] expected = layer.onTheCpu();
      assertThat(layer.run(plan, ROWS)).isEqualTo(expected);
      assertThat(card.choices()).containsExactly(Map.entry(DENSE, kind));
      fake.clearLog();
      assertThat(layer.run(plan, ROWS)).isEqualTo(expected); // recorded
      assertThat(fake.log(KERNEL)).containsExactly(KERNEL + kind);
      assertThat(plan.ways()).containsExactly("head (QuantizedLinear): " + kind);
      assertThat(layer.run(plan, ROWS)).isEqualTo(expected); // from the graph
      fake.clearLog();
      assertThat(layer.run(plan, 5)).isEqualTo(Arrays.copyOf(expected, 5 * UNITS));
      assertThat(fake.log(KERNEL)).as("as many rows, nearly").containsExactly(KERNEL + kind);
      try (ByteLayer again = layer();
          Plan other = again.plan(card.device())) {
        fake.clearLog();
        assertThat(again.run(other, ROWS)).isEqualTo(expected);
        assertThat(fake.log(KERNEL)).containsExactly(KERNEL + kind);
        assertThat(fake.log("cuEvent")).isEmpty();
      }
    }
  }

  @Test
  void ofThoseThatTakeAsLongTheRuleIsRight() {
    takes("cublasLtMatmul", 5);
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      layer.run(plan, ROWS);
      assertThat(card.choices()).containsEntry(DENSE, "tiles_128");
    }
  }

  @Test
  void whatIsHopelessIsLaunchedOnceAndTheOthersInTurns() {
    fastest("tiles_64");
    takes(KERNEL + "strips_8", 9);
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      fake.clearLog();
      layer.run(plan, ROWS);
      assertThat(fake.log(KERNEL + "strips_8")).hasSize(1);
      assertThat(fake.log(KERNEL + "strips_32")).as("once, and in a graph").hasSize(3);
      assertThat(fake.log("cuGraphLaunch")).as("three turns of three").hasSize(9);
      assertThat(card.choices()).containsEntry(DENSE, "tiles_64");
    }
  }

  @Test
  void whereNothingIsMeasuredTheRuleIsFollowedAndNoLibraryAsked() {
    fastest("strips_8");
    try (EmulatedCard card = new EmulatedCard(fake, false);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) {
        assertThat(layer.run(plan, ROWS)).isEqualTo(layer.onTheCpu());
      }
      assertThat(fake.log(KERNEL)).containsOnly(KERNEL + "tiles_128").hasSize(2);
      assertThat(fake.log("cuEvent", "cublasLt")).isEmpty();
      assertThat(card.choices()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Kind.class, mode = EnumSource.Mode.EXCLUDE, names = "WINDOWS")
  void cuBlasLtsProductGivesTheCpusBits(Kind kind) {
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = new ByteLayer(kind, ROWS, IN, UNITS);
        Plan plan = layer.plan(card.device())) {
      takes("cuLaunchKernel", 0);
      for (String own : List.of("quantized_linear", "dynamic_quantized_linear")) {
        for (String each : List.of("tiles", "strips")) {
          takes("cuLaunchKernel " + own + "_" + each, 9);
        }
      }
      takes("cuLaunchKernel quantized_conv2d", 9);
      byte[] expected = layer.onTheCpu();
      for (int run = 0; run < 4; run++) {
        fake.clearLog();
        assertThat(layer.run(plan, ROWS)).as("run %d", run).isEqualTo(expected);
        if (run == 1) { // recorded
          assertThat(fake.log("cuLaunchKernel", "cublasLtMatmul"))
              .filteredOn(call -> !call.endsWith("pack_quantized") && !call.contains("Heuristic"))
              .containsExactly(
                  "cuLaunchKernel int8_signed",
                  "cublasLtMatmul",
                  "cuLaunchKernel " + kind.last + "_of_sums");
        }
      }
      assertThat(card.choices()).containsValue("imma").hasSize(1);
    }
  }

  @Test
  void cuBlasLtIsAskedForRowsOfSignedBytesAndWholeSums() {
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      layer.run(plan, ROWS);
      assertThat(fake.log("cublasLtMatrixLayoutCreate", "cublasLtMatmulDescCreate"))
          .containsExactly(
              "cublasLtMatmulDescCreate 72", // COMPUTE_32I
              "cublasLtMatrixLayoutCreate BYTE [48, 32] of 48", // transposed
              "cublasLtMatrixLayoutCreate BYTE [48, 7] of 48",
              "cublasLtMatrixLayoutCreate INT [32, 7] of 32");
    }
  }

  /** The heuristic says so in one of two ways. */
  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void withoutAnAlgorithmCremasOwnKernelsServe(int algorithms) {
    fake.byteProducts = algorithms;
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      takes("cuLaunchKernel quantized_linear", 9);
      for (int run = 0; run < 3; run++) {
        assertThat(layer.run(plan, ROWS)).isEqualTo(layer.onTheCpu());
      }
      assertThat(card.choices()).containsEntry(DENSE, "tiles_128");
      assertThat(fake.log("cublasLtMatmulAlgoGetHeuristic")).as("asked once").hasSize(1);
    }
  }

  /** The last batch of a size that was measured with one has none: alignments may differ. */
  @ParameterizedTest
  @CsvSource({"40, 32", "48, 24"})
  void itIsNotAskedForExtentsThatAreNoMultiplesOfSixteen(int in, int units) {
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = new ByteLayer(Kind.BYTES, ROWS, in, units);
        Plan plan = layer.plan(card.device())) {
      assertThat(layer.run(plan, ROWS)).isEqualTo(layer.onTheCpu());
      assertThat(fake.log("cublasLt")).isEmpty();
    }
  }

  /** A kernel that writes nothing leaves what the trial has put there. */
  @ParameterizedTest
  @ValueSource(strings = {"quantized_linear_tiles_64", "quantized_linear_of_sums", "int8_signed"})
  void whatWritesOtherBitsIsDroppedAndTheLogNamesIt(String lost) {
    fake.kernels.lost.add(lost);
    takes("cuLaunchKernel", 0);
    takes(KERNEL + "tiles_128", 3);
    takes(KERNEL + "strips", 2);
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      List<byte[]> results = new ArrayList<>();
      String said = CapturedLog.of(() -> results.add(layer.run(plan, ROWS)));
      results.add(layer.run(plan, ROWS));
      assertThat(results).containsOnly(layer.onTheCpu());
      String liar = lost.equals("quantized_linear_tiles_64") ? "tiles_64" : "imma";
      assertThat(said)
          .contains("head (QuantizedLinear)", DENSE, "other results by " + liar + " than by tiles")
          .containsOnlyOnce("Please report it");
      assertThat(card.choices().get(DENSE)).isNotEqualTo(liar);
      assertThat(((CudaDevice) card.device()).choices().refused())
          .containsExactly(DENSE + " by " + liar);
      assertThat(CapturedLog.of(() -> layer.run(plan, 2))).as("once a form").doesNotContain(DENSE);
    }
  }

  @Test
  void whatMostSayIsRightEvenWhereItIsNotTheRule() {
    fake.kernels.lost.add("quantized_linear_tiles_128");
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      List<byte[]> results = new ArrayList<>();
      String said = CapturedLog.of(() -> results.add(layer.run(plan, ROWS)));
      assertThat(said).contains("other results by tiles_128 than by ");
      results.add(layer.run(plan, ROWS));
      results.add(layer.run(plan, ROWS));
      assertThat(results).as("from the first run on").containsOnly(layer.onTheCpu());
    }
  }

  /** Where the trial's own calls fail the run goes on; a run's own say what happened. */
  @Test
  void aFailureInATrialIsBorneAndEverythingGivenBack() {
    int[] statuses = {INVALID_VALUE, OUT_OF_MEMORY, CAPTURE_UNSUPPORTED};
    int borne = 0;
    boolean failed = true;
    byte[] expected;
    try (ByteLayer layer = layer()) {
      expected = Arrays.copyOf(layer.onTheCpu(), UNITS);
    }
    for (int k = 1; failed; k++) {
      FakeCard card = new FakeCard();
      card.fakeDriver().multiprocessors = 2;
      try (ByteLayer layer = layer();
          EmulatedCard emulated = new EmulatedCard(card, true);
          Plan plan = layer.plan(emulated.device())) {
        card.failAt(k, statuses[k % statuses.length]);
        try {
          assertThat(layer.run(plan, 1)).as(() -> card.failedCall).isEqualTo(expected);
          borne += card.hasFailed() ? 1 : 0;
        } catch (CremaException e) {
          assertThat(e.getMessage()).isNotBlank();
        }
        failed = card.hasFailed();
        card.succeed();
        assertThat(layer.run(plan, 1)).as(() -> card.failedCall).isEqualTo(expected);
      }
    }
    assertThat(borne).as("failures of the trial").isGreaterThan(100);
  }

  @Test
  void afterAFailureThatTheCardDoesNotSurviveTheErrorNamesTheLayer() {
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device());
        Plan other = layer.plan(card.device())) {
      fake.clearLog();
      layer.run(other, 1);
      int k = fake.log.indexOf("cuGraphLaunch") + 1;
      assertThat(k).isPositive();
      fake.failAt(k, ILLEGAL_ADDRESS); // another form makes the same calls
      assertThatThrownBy(() -> layer.run(plan, ROWS))
          .isInstanceOf(CudaException.class)
          .hasMessageMatching(
              "head \\(QuantizedLinear\\): " + DENSE_BY + ": cu\\w+ on cuda:0 gave.*");
    }
  }

  @Test
  void withoutRoomToCompareTheRuleServesAndTheNextPlanTriesAgain() {
    fastest("strips_8");
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      long total = fake.fakeDriver().totalBytes;
      fake.fakeDriver().totalBytes = 0;
      assertThat(layer.run(plan, ROWS)).isEqualTo(layer.onTheCpu());
      assertThat(card.choices()).isEmpty();
      fake.fakeDriver().totalBytes = total;
      assertThat(layer.run(plan, ROWS)).isEqualTo(layer.onTheCpu());
      assertThat(layer.run(plan, 1)).hasSize(UNITS);
      assertThat(layer.run(plan, 6)).hasSize(6 * UNITS);
      assertThat(card.choices()).containsEntry(DENSE, "strips_8");
    }
  }

  @Test
  void aTrialLeavesNoMemoryBehind() {
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = layer();
        Plan plan = layer.plan(card.device())) {
      CudaDevice device = (CudaDevice) card.device();
      layer.run(plan, 1);
      long used = device.usedBytes();
      layer.run(plan, ROWS);
      assertThat(device.usedBytes()).isEqualTo(used);
      assertThat(device.memory().kept()).isZero();
    }
  }

  private static ByteLayer layer() {
    return new ByteLayer(Kind.BYTES, ROWS, IN, UNITS);
  }
}
