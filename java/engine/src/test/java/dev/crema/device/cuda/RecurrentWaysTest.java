package dev.crema.device.cuda;

import static dev.crema.device.cuda.RecurrentProgram.requireNear;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.CremaException;
import dev.crema.device.cuda.RecurrentProgram.Size;
import dev.crema.plan.Plan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Recurrent layers by cuDNN: the numbers of the CPU but for rounding, or Crema's own steps. */
class RecurrentWaysTest {
  private static final Size SIZE = new Size(3, 4, 5, 6);

  /** Sums of at most a few dozen products, by steps; the fake computes in double. */
  private static final float ROUNDING = 1e-5f;

  private final FakeCard fake = new FakeCard();

  @BeforeEach
  void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    makeStepsSlow(fake);
  }

  private static RecurrentProgram of(boolean lstm, boolean gradient, boolean whole) {
    return RecurrentProgram.of(lstm, gradient, whole, SIZE);
  }

  private static void makeStepsSlow(FakeCard card) {
    card.fakeDriver().milliseconds.put("cuLaunchKernel lstm_cell", 9f);
    card.fakeDriver().milliseconds.put("cuLaunchKernel gru_cell", 9f);
  }

  private void requireSame(boolean lstm, boolean gradient, boolean whole, String call) {
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        RecurrentProgram layer = of(lstm, gradient, whole);
        Plan plan = layer.plan(card.device())) {
      List<float[]> expected = layer.onTheCpu();
      for (int run = 0; run < 3; run++) { // tried, recorded, and from the graph
        requireNear(layer.run(plan), expected, ROUNDING);
      }
      assertThat(((CudaDevice) card.device()).choices().refused()).isEmpty();
      assertThat(card.choices()).hasSize(1).containsValue("cudnn");
      String of = gradient ? "Grad" : "";
      assertThat(plan.ways())
          .containsExactly("memory (" + (lstm ? "Lstm" : "Gru") + of + "): cudnn");
      assertThat(fake.log(call)).isNotEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"true, true", "true, false", "false, true", "false, false"})
  void theForwardPassIsTheCpus(boolean lstm, boolean whole) {
    requireSame(lstm, false, whole, "cudnnRNNForward");
  }

  /** The forward pass before it is Crema's own, since the gradient's own way reads its gates. */
  @ParameterizedTest
  @CsvSource({"true, true", "true, false", "false, true", "false, false"})
  void soAreItsGradients(boolean lstm, boolean whole) {
    requireSame(lstm, true, whole, "cudnnRNNBackwardWeights");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void cuDnnIsNotAskedWhereOnlyTheSameBitsWillDo(boolean lstm) {
    try (EmulatedCard card = new EmulatedCard(fake, true);
        RecurrentProgram layer = of(lstm, true, true);
        Plan plan = layer.plan(card.device())) {
      requireNear(layer.run(plan), layer.onTheCpu(), ROUNDING);
      assertThat(fake.log("cudnn")).isEmpty();
      assertThat(card.choices()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whereItRefusesStepsServe(boolean gradient) {
    fake.refusesRecurrent = true;
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        RecurrentProgram layer = of(true, gradient, true);
        Plan plan = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) {
        requireNear(layer.run(plan), layer.onTheCpu(), ROUNDING);
      }
      assertThat(card.choices()).containsValue("steps");
      assertThat(fake.log("cudnnSetRNNDescriptor")).as("asked once").hasSize(1);
    }
  }

  @Test
  void soTheyDoWithoutCuDnn() {
    fake.fakeDnn().cudaVersion = 12080;
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        RecurrentProgram layer = of(true, true, true);
        Plan plan = layer.plan(card.device())) {
      requireNear(layer.run(plan), layer.onTheCpu(), ROUNDING);
      requireNear(layer.run(plan), layer.onTheCpu(), ROUNDING);
      assertThat(fake.log("cudnn")).isEmpty();
    }
  }

  /** Weights left where they were: the trial sees it. */
  @Test
  void whatIsNotNearIsDropped() {
    fake.kernels.lost.add("recurrent_weights_from");
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        RecurrentProgram layer = of(true, true, true);
        Plan plan = layer.plan(card.device())) {
      for (int run = 0; run < 2; run++) {
        requireNear(layer.run(plan), layer.onTheCpu(), ROUNDING);
      }
      assertThat(card.choices()).containsValue("steps");
      assertThat(((CudaDevice) card.device()).choices().refused()).hasSize(1);
    }
  }

  /** Where the trial's own calls fail the run goes on; a run's own say what happened. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whicheverOfCudnnsCallsFailsEverythingIsGivenBackAndTheNextRunIsRight(boolean lstm) {
    List<Integer> calls = new ArrayList<>();
    run(lstm, 0, calls);
    assertThat(calls).hasSizeGreaterThan(20);
    for (int k : calls) {
      run(lstm, k, new ArrayList<>());
    }
  }

  /**
   * The second run is right; the first, too, or it says why not.
   *
   * @param fails which call of the first run; 0: none
   * @param calls gets which of the first run's are cuDNN's
   */
  private static void run(boolean lstm, int fails, List<Integer> calls) {
    FakeCard card = new FakeCard();
    makeStepsSlow(card);
    try (RecurrentProgram layer = of(lstm, true, true);
        EmulatedCard emulated = new EmulatedCard(card, Measuring.ALL);
        Plan plan = layer.plan(emulated.device())) {
      List<float[]> expected = layer.onTheCpu();
      card.clearLog();
      if (fails > 0) {
        card.failAt(fails, 1);
      }
      try {
        requireNear(layer.run(plan), expected, ROUNDING);
      } catch (CremaException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
      assertThat(card.hasFailed()).isEqualTo(fails > 0);
      calls.addAll(card.places("cudnn"));
      card.succeed();
      requireNear(layer.run(plan), expected, ROUNDING);
    }
  }
}
