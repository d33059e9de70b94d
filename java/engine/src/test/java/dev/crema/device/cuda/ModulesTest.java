package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which code a card gets: what was compiled when Crema was built, or what NVRTC compiles now. */
class ModulesTest {
  private static final String FAMILY = "softmax";
  private static final String KERNEL = "a_kernel";
  private static final Function<String, byte[]> BUILT = family -> new byte[] {1, 2, 3};
  private static final Function<String, byte[]> NOT_BUILT = family -> null;
  private static final int OUT_OF_MEMORY = 2;
  private static final int UNSUPPORTED = 801;

  private final CudaBench bench = new CudaBench();
  private final FakeCard card = bench.card;
  private final Supplier<KernelCompiler> compiler =
      () -> new KernelCompiler(card.compiler(), new KernelCache(null), 90);

  @BeforeEach
  void aCardThatHasTheKernel() {
    card.kernels.put(KERNEL, "", arguments -> {});
    bench.device.context().enter();
  }

  @AfterEach
  void everythingIsGivenBack() {
    bench.close();
    assertThat(card.live).isEmpty();
    assertThat(card.misuses).isEmpty();
  }

  private void load(Function<String, byte[]> built, Supplier<KernelCompiler> with) {
    Modules modules = new Modules(bench.device.context(), bench.device.memory(), built, with);
    try {
      assertThat(modules.function(FAMILY, KERNEL)).isEqualTo(modules.function(FAMILY, KERNEL));
      assertThat(modules.loaded()).containsExactly(FAMILY);
    } finally {
      modules.close();
    }
  }

  private void assertCompiled(int times) {
    assertThat(card.log("nvrtcCompileProgram")).hasSize(times);
    assertThat(card.log("cuModuleGetFunction")).hasSize(1);
  }

  @Test
  void whatWasBuiltIsTakenAndNothingIsCompiled() {
    load(BUILT, compiler);
    assertCompiled(0);
  }

  @Test
  void whatWasNotBuiltIsCompiled() {
    load(NOT_BUILT, compiler);
    assertCompiled(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 209, 218, 222})
  void whatWasBuiltForOtherCardsOrDriversIsCompiledAnew(int status) {
    card.fakeDriver().moduleStatus = status;
    load(BUILT, compiler);
    assertCompiled(1);
  }

  @Test
  void anotherFailureIsSaidWithTheFamily() {
    card.fakeDriver().moduleStatus = OUT_OF_MEMORY;
    assertThatThrownBy(() -> load(BUILT, compiler))
        .isInstanceOf(CudaException.class)
        .hasMessage(
            "Out of memory on cuda:0: cuModuleLoadData of softmax.fatbin asks for room for code of "
                + BUILT.apply(FAMILY).length
                + " bytes, Crema uses 0 bytes, 8.00 GiB of its 8.00 GiB are free. Use a smaller"
                + " batch or model, or close what is no longer needed.");
    card.fakeDriver().moduleStatus = UNSUPPORTED;
    assertThatThrownBy(() -> load(BUILT, compiler))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("cuModuleLoadData of softmax.fatbin on cuda:0 gave ");
  }

  @Test
  void whereMemoryRunsOutWhatIsKeptIsGivenBackFirst() {
    bench.device.memory().allocate(1, "a piece").close();
    assertThat(bench.device.memory().kept()).isPositive();
    card.fakeDriver().moduleStatus = OUT_OF_MEMORY; // once
    load(BUILT, compiler);
    assertCompiled(0);
    assertThat(bench.device.memory().kept()).isZero();
  }

  @Test
  void withoutACompilerItSaysWhyOneWasNeeded() {
    Supplier<KernelCompiler> missing =
        () -> {
          throw new CremaException("libnvrtc.so.13 was not found");
        };
    assertThatThrownBy(() -> load(NOT_BUILT, missing))
        .hasMessage(
            "The kernels of softmax were not compiled when Crema was built, and cannot be now:"
                + " libnvrtc.so.13 was not found");
    card.fakeDriver().moduleStatus = 209;
    assertThatThrownBy(() -> load(BUILT, missing))
        .hasMessageStartingWith("The kernels of softmax do not run on this card as they were when");
  }
}
