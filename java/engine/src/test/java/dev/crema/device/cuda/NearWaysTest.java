package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.CremaException;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.cuda.DeviceMemory.Piece;
import dev.crema.device.cuda.kernel.Call;
import dev.crema.device.cuda.kernel.Launches;
import dev.crema.device.cuda.kernel.Operand;
import dev.crema.device.cuda.kernel.Ways;
import dev.crema.device.cuda.kernel.Ways.Way;
import dev.crema.memory.ElementType;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ways whose results differ by rounding, and what may pass for that. */
class NearWaysTest {
  private static final int COUNT = 700; // several groups of neighbours
  private static final int BYTES = 4 * COUNT;

  private final FakeCard fake = new FakeCard();
  private EmulatedCard card;
  private CudaDevice device;
  private Piece y;
  private Piece counts; // the second output, int32
  private Piece exact; // what the first way writes, both outputs
  private Piece near; // what the near one does
  private long stream;

  @BeforeEach
  void memory() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    fake.fakeDriver().milliseconds.put("cuMemcpyDtoDAsync", 1f);
    card = new EmulatedCard(fake, Measuring.ALL);
    device = (CudaDevice) card.device();
    device.context().enter();
    y = device.memory().allocate(BYTES, "y");
    counts = device.memory().allocate(BYTES, "counts");
    exact = device.memory().allocate(2 * BYTES, "exact");
    near = device.memory().allocate(2 * BYTES, "near");
    stream = Streams.create(device.context());
    for (int i = 0; i < COUNT; i++) {
      float value = (float) Math.sin(i);
      put(exact, i, value);
      put(near, i, value);
      FakeKernels.view(exact.address(), 2 * BYTES).putInt(BYTES + 4 * i, i);
      FakeKernels.view(near.address(), 2 * BYTES).putInt(BYTES + 4 * i, i);
    }
  }

  @AfterEach
  void everythingIsGivenBack() {
    if (card != null) {
      List.of(y, counts, exact, near).forEach(Piece::close);
      Streams.destroy(device.context(), stream);
      card.close();
    }
  }

  private static void put(Piece into, int index, float value) {
    FakeKernels.view(into.address(), 2 * BYTES).putFloat(4 * index, value);
  }

  /** Takes three milliseconds; the near one takes two. */
  private Ways ways(Operand... inputs) {
    return ways(
        List.of(new Way("own", writes(exact, true)), Way.near("library", writes(near, false))),
        inputs);
  }

  private Ways ways(List<Way> all, Operand... inputs) {
    Instruction instruction =
        new Instruction(
            "test", "head (Test)", 1, List.of(), List.of(), List.of(), new long[0], new double[0]);
    List<Operand> outputs = List.of(y(), operand(counts, ElementType.INT32));
    return new Ways(
        new Call(instruction, 0, 1, List.of(inputs), outputs, device.processor(), 0),
        "test [700]",
        all);
  }

  private Operand y() {
    return operand(y, ElementType.FLOAT32);
  }

  private static Operand operand(Piece piece, ElementType type) {
    return new Operand(piece.address(), type, new long[] {COUNT});
  }

  private Predicate<Launches> writes(Piece from, boolean twice) {
    return to -> {
      for (int i = 0; i < (twice ? 2 : 1); i++) {
        to.copy(y.address(), from.address(), BYTES);
      }
      to.copy(counts.address(), from.address() + BYTES, BYTES);
      return true;
    };
  }

  private Optional<String> fastest(Ways ways, boolean tf32) {
    try (Trial trial = new Trial(device, tf32, stream, ways)) {
      return trial.run();
    }
  }

  @Test
  void theFastestIsTakenAlsoWhereItsBitsAreOthers() {
    put(near, 5, (float) Math.sin(5) + 1e-4f);
    assertThat(fastest(ways(), false)).contains("library");
    assertThat(device.choices().refused()).isEmpty();
  }

  /** 3000: what it was asked to run is not supported, though it has an algorithm for it. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatCuDnnRefusesOnceItRunsIsLeftOut(boolean isNear) {
    Predicate<Launches> refused =
        to -> {
          if (to instanceof Recorder) {
            throw new CudaException("cudnnRNNForward", 3000, "not supported");
          }
          to.scratch(BYTES);
          return true;
        };
    List<Way> all =
        List.of(
            new Way("own", writes(exact, true)),
            new Way("refused", isNear, refused),
            Way.near("library", writes(near, false)));
    assertThat(fastest(ways(all), false)).contains("library");
    assertThat(device.choices().refused()).isEmpty();
  }

  @Test
  void anotherFailureOfALibraryIsOne() {
    Way failing =
        Way.near(
            "library",
            to -> {
              if (to instanceof Recorder) {
                throw new CudaException("cudnnRNNForward", 5000, "execution failed");
              }
              return true;
            });
    Ways ways = ways(List.of(new Way("own", writes(exact, true)), failing));
    assertThatThrownBy(() -> fastest(ways, false)).isInstanceOf(CudaException.class);
  }

  /** The limit is a thousandth of the neighbours' greatest; of TF32 ten times that. */
  @ParameterizedTest
  @CsvSource({
    "0, 1e-4, false, library", "699, 1e-2, false, own",
    "300, 5e-3, true, library", "300, 3e-2, true, own",
    "0, NaN, false, own", "256, Infinity, false, own"
  })
  void whatIsFartherThanRoundingIsDropped(int at, float by, boolean tf32, String taken) {
    put(near, at, (float) Math.sin(at) + by);
    assertThat(fastest(ways(), tf32)).contains(taken);
    assertThat(device.choices().refused())
        .isEqualTo(taken.equals("own") ? Set.of("test [700] by library") : Set.of());
  }

  /** An operand of 16 bits means that there was rounding to 16 bits on the way. */
  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT16", "BFLOAT16"})
  void numbersOf16BitsMayBeFarther(ElementType type) {
    put(near, 300, (float) Math.sin(300) + 2e-2f);
    Operand x = new Operand(near.address(), type, new long[] {COUNT});
    assertThat(fastest(ways(x), false)).contains("library");
    put(near, 300, (float) Math.sin(300) + 1e-1f);
    assertThat(fastest(ways(x), false)).contains("own");
  }

  @Test
  void wholeNumbersMustBeTheSame() {
    FakeKernels.view(near.address(), 2 * BYTES).putInt(2 * BYTES - 4, -1);
    assertThat(fastest(ways(), false)).contains("own");
    assertThat(fastest(ways().ignoring(1), false)).as("that nobody reads").contains("library");
  }

  @Test
  void aWayThatWritesNothingIsFoundOut() {
    assertThat(
            fastest(
                ways(List.of(new Way("own", writes(exact, true)), Way.near("library", to -> true))),
                false))
        .contains("own");
    assertThat(device.choices().refused()).containsExactly("test [700] by library");
  }

  @Test
  void oneThatIsNotThereIsNotMissed() {
    assertThat(
            fastest(
                ways(
                    List.of(new Way("own", writes(exact, true)), Way.near("library", to -> false))),
                false))
        .contains("own");
    assertThat(device.choices().refused()).isEmpty();
  }

  @Test
  void onlyWhereAllIsAskedForAreTheyAmongThose() {
    Ways all = ways();
    assertThat(all.among(false, true).all()).extracting(Way::kind).containsExactly("own");
    assertThat(all.among(false, true).form()).isEqualTo("test [700]");
    assertThat(all.among(true, false).all()).hasSize(2);
    assertThat(all.among(true, true).form())
        .as("what a library may do in TF32 is another matter")
        .isEqualTo("test [700], TF32");
  }

  @Test
  void nothingIsTriedWhereAnOutputIsAnInput() {
    new Race(device, false, stream).run(ways(operand(counts, ElementType.INT32)));
    assertThat(device.choices().all()).isEmpty();
    new Race(device, false, stream).run(ways(operand(near, ElementType.INT32)));
    assertThat(device.choices().all()).containsEntry("test [700]", "library");
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "same", " Same "})
  void usuallyResultsDoNotDependOnTheChoice(String value) {
    assertThat(Measuring.of(value)).isEqualTo(Measuring.SAME_BITS);
  }

  @Test
  void settingsThatDoNotExistAreRefused() {
    assertThat(Measuring.of("0")).isEqualTo(Measuring.NOTHING);
    assertThat(Measuring.of("ALL")).isEqualTo(Measuring.ALL);
    assertThatThrownBy(() -> Measuring.of("yes"))
        .isInstanceOf(CremaException.class)
        .hasMessageContainingAll("CREMA_CUDA_MEASURE is \"yes\"", "0", "same", "all");
  }
}
