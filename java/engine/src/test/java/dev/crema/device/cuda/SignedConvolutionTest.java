package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.CremaException;
import dev.crema.device.cuda.ByteLayer.Images;
import dev.crema.device.cuda.ByteLayer.Kind;
import dev.crema.op.Window2d;
import dev.crema.plan.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Convolutions of bytes by cuDNN's of signed bytes: the CPU's bits, or Crema's own kernels. */
class SignedConvolutionTest {
  private static final int EXAMPLES = 2;

  private final FakeCard fake = new FakeCard();

  @BeforeEach
  void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    for (String own : List.of("tiles", "strips")) {
      fake.fakeDriver().milliseconds.put("cuLaunchKernel quantized_conv2d_" + own, 9f);
    }
  }

  private void fastest(String kind) {
    boolean graph = kind.equals("cudnn_graph");
    fake.fakeDriver().milliseconds.put("cudnnBackendExecute", graph ? 1f : 2f);
    fake.fakeDriver().milliseconds.put("cudnnConvolutionForward", graph ? 2f : 1f);
  }

  private static Window2d window(int stride, int dilation, int... padding) {
    return Window2d.valid(stride, stride)
        .dilated(dilation, dilation)
        .padded(padding[0], padding[1], padding[2], padding[3]);
  }

  /** Images, kernel and window, channels, units. */
  private static Stream<Arguments> shapes() {
    return Stream.of(
        Arguments.of(new Images(5, 4, 3, 3, window(1, 1, 1, 1, 1, 1), true), 16, 8),
        Arguments.of(new Images(5, 7, 3, 2, window(2, 1, 0, 1, 0, 1), true), 4, 24),
        Arguments.of(new Images(6, 7, 2, 3, window(1, 2, 2, 0, 1, 3), false), 12, 16),
        Arguments.of(new Images(4, 5, 1, 1, window(2, 1, 0, 0, 0, 0), true), 32, 8),
        Arguments.of(new Images(1, 9, 1, 5, window(3, 1, 0, 0, 2, 2), false), 20, 8),
        Arguments.of(new Images(2, 2, 3, 3, window(1, 1, 2, 2, 2, 2), true), 112, 8));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void theyGiveTheCpusBits(Images images, int channels, int units) {
    requireBits("cudnn", images, channels, units);
  }

  /** Sums too great for a float, besides. */
  @ParameterizedTest
  @MethodSource({"shapes", "wide"})
  void soDoThoseByGraphs(Images images, int channels, int units) {
    requireBits("cudnn_graph", images, channels, units);
  }

  private static Stream<Arguments> wide() {
    return Stream.of(Arguments.of(Images.of(Kind.WINDOWS), 1040, 8));
  }

  private void requireBits(String kind, Images images, int channels, int units) {
    fastest(kind);
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = new ByteLayer(Kind.WINDOWS, EXAMPLES, channels, units, images);
        Plan plan = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) { // tried, recorded, and from the graph
        assertThat(layer.run(plan, EXAMPLES)).as("run %d", run).isEqualTo(layer.onTheCpu());
      }
      assertThat(card.choices()).hasSize(1).containsValue(kind);
      assertThat(((CudaDevice) card.device()).choices().refused()).isEmpty();
    }
  }

  @Test
  void aRunIsThreeLaunches() {
    fastest("cudnn");
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = new ByteLayer(Kind.WINDOWS, EXAMPLES, 48, 16);
        Plan plan = layer.plan(card.device())) {
      layer.run(plan, EXAMPLES);
      fake.clearLog();
      layer.run(plan, EXAMPLES);
      assertThat(fake.log("cuLaunchKernel", "cudnnConvolution"))
          .filteredOn(call -> !call.endsWith("pack_quantized"))
          .containsExactly(
              "cuLaunchKernel int8_signed_image_16",
              "cudnnConvolutionForward",
              "cuLaunchKernel quantized_conv2d_of_sums");
      assertThat(plan.ways()).containsExactly("head (QuantizedConv2d): cudnn");
    }
  }

  /** No algorithm, or the heuristic refuses the form. */
  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void withoutAnAlgorithmCremasOwnKernelsServe(int algorithms) {
    fake.refusesGraphs = true;
    fake.byteConvolutions = algorithms;
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = new ByteLayer(Kind.WINDOWS, EXAMPLES, 48, 16);
        Plan plan = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) {
        assertThat(layer.run(plan, EXAMPLES)).isEqualTo(layer.onTheCpu());
      }
      assertThat(card.choices().values()).doesNotContain("cudnn", "cudnn_graph");
      assertThat(fake.log("cudnnGetConvolutionForward")).as("asked once").hasSize(1);
    }
  }

  /** Layers of bytes need none. */
  @Test
  void withoutCuDnnCremasOwnKernelsAreTried() {
    fake.fakeDnn().cudaVersion = 12080;
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = new ByteLayer(Kind.WINDOWS, EXAMPLES, 48, 16);
        Plan plan = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) {
        assertThat(layer.run(plan, EXAMPLES)).isEqualTo(layer.onTheCpu());
      }
      assertThat(card.choices()).hasSize(1);
      assertThat(fake.log("cuEventElapsedTime")).as("they are timed").hasSizeGreaterThan(4);
    }
  }

  /** Channels not in fours, units not in eights. */
  @ParameterizedTest
  @MethodSource("unfit")
  void itIsNotAskedForWhatItCannotDo(int channels, int units) {
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = new ByteLayer(Kind.WINDOWS, 1, channels, units);
        Plan plan = layer.plan(card.device())) {
      assertThat(layer.run(plan, 1)).isEqualTo(layer.onTheCpu());
      assertThat(fake.log("cudnn")).isEmpty();
    }
  }

  @Test
  void sumsThatFloatsDoNotHoldGoByGraphsAlone() {
    try (EmulatedCard card = new EmulatedCard(fake, true);
        ByteLayer layer = new ByteLayer(Kind.WINDOWS, 1, 116, 8);
        Plan plan = layer.plan(card.device())) {
      assertThat(layer.run(plan, 1)).isEqualTo(layer.onTheCpu());
      assertThat(fake.log("cudnnConvolution")).isEmpty();
      assertThat(card.choices()).containsValue("cudnn_graph");
    }
  }

  private static List<Arguments> unfit() {
    return List.of(Arguments.of(6, 8), Arguments.of(16, 12));
  }

  /** Where the trial's own calls fail the run goes on; a run's own say what happened. */
  @Test
  void whicheverOfCudnnsCallsFailsEverythingIsGivenBackAndTheNextRunIsRight() {
    List<Integer> calls = new ArrayList<>();
    byte[] expected = run(0, calls);
    assertThat(calls).hasSizeGreaterThan(10);
    for (int k : calls) {
      assertThat(run(k, new ArrayList<>())).as("call %d failed", k).isEqualTo(expected);
    }
  }

  /**
   * @param fails which call of the first run; 0: none
   * @param calls gets which of the first run's are cuDNN's
   * @return what the second run gives; the first gives the same or says why not
   */
  private static byte[] run(int fails, List<Integer> calls) {
    FakeCard card = new FakeCard();
    try (ByteLayer layer = new ByteLayer(Kind.WINDOWS, 1, 16, 8);
        EmulatedCard emulated = new EmulatedCard(card, true);
        Plan plan = layer.plan(emulated.device())) {
      byte[] expected = layer.onTheCpu();
      card.clearLog();
      if (fails > 0) {
        card.failAt(fails, 1);
      }
      try {
        assertThat(layer.run(plan, 1)).as(() -> card.failedCall).isEqualTo(expected);
      } catch (CremaException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
      assertThat(card.hasFailed()).isEqualTo(fails > 0);
      calls.addAll(card.places("cudnn"));
      card.succeed();
      byte[] second = layer.run(plan, 1);
      assertThat(second).as(() -> card.failedCall).isEqualTo(expected);
      return second;
    }
  }
}
