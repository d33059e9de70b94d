package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.CremaException;
import dev.crema.device.cuda.CudaBench.Convolving;
import dev.crema.device.cuda.CudaBench.Multiplying;
import dev.crema.device.cuda.CudaBench.Squaring;
import dev.crema.memory.Buffer;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whichever call fails, and however: an exception says so, everything that was made is given back,
 * nothing is given back twice or while work is in flight, and the next plan works.
 */
class FailuresTest {
  private static final int INVALID_VALUE = 1;
  private static final int OUT_OF_MEMORY = 2;
  private static final int ILLEGAL_ADDRESS = 700;
  private static final int CAPTURE_UNSUPPORTED = 900;

  @ParameterizedTest
  @ValueSource(ints = {INVALID_VALUE, OUT_OF_MEMORY, ILLEGAL_ADDRESS, CAPTURE_UNSUPPORTED})
  void everythingIsGivenBackWhicheverCallFails(int status) {
    boolean failed = true;
    int calls = 0;
    int borne = 0;
    for (int k = 1; failed; k++) {
      FakeCard card = new FakeCard();
      card.failAt(k, status);
      boolean threw = false;
      try {
        work(card);
      } catch (CremaException e) {
        threw = true;
        assertThat(e.getMessage()).isNotBlank();
      }
      failed = card.hasFailed();
      assertThat(failed || !threw).as("everything works where no call fails").isTrue();
      if (failed && !threw && status == OUT_OF_MEMORY && card.failedCall.startsWith("cuMemAlloc")) {
        borne++;
      } else if (failed && !threw) {
        assertThat(card.failedCall).as("a failure that nobody heard of").matches(mayFail(status));
      }
      calls = k;
      assertThat(card.live).as("after the failure of call %s", k).isEmpty();
      assertThat(card.misuses).as("after the failure of call %s", k).isEmpty();
    }
    assertThat(calls).isGreaterThan(100);
    // What is sent ahead needs memory of its own; without it runs copy for themselves.
    assertThat(borne).isEqualTo(status == OUT_OF_MEMORY ? 1 : 0);
  }

  /** Only where something is given back, or there is another way, can a failure be borne. */
  private static Pattern mayFail(int status) {
    String givenBack =
        ".*(Destroy|Free|FreeHost|Release|Unload)|cudnnDestroy\\w+|cuCtxSetCurrent"
            + "|cuEventSynchronize|nvrtcDestroyProgram";
    return Pattern.compile(
        switch (status) {
          case OUT_OF_MEMORY -> givenBack + "|cuMemHostAlloc"; // memory that is not pinned serves
          case CAPTURE_UNSUPPORTED -> // runs one by one
              givenBack
                  + "|cuStream(Begin|End)Capture|cuGraphInstantiate|cublasLtMatmul.*"
                  + "|cudnnConvolution.*|cudnnSetStream|cuLaunchKernel.*";
          default -> givenBack;
        });
  }

  /**
   * A bit of everything: products, convolutions, kernels, runs of two batch sizes, one sent ahead,
   * a profile, a read.
   */
  private static void work(FakeCard card) {
    CudaOptions options =
        new CudaOptions(false, Measuring.NOTHING, new KernelCache(null), operation -> -1);
    CudaBench.transposes(card);
    CudaDevice device = new CudaDevice(card, CudaBench.CARD, options);
    try (Buffer w = CudaBench.floats(1, 1, 0, 1);
        Buffer v = CudaBench.floats(1, 2, 3, 4, 5, 6);
        Squaring s = CudaBench.squaring(device, w, 2);
        Multiplying m = CudaBench.product(device, v, 2);
        Buffer ones = CudaBench.ones(17);
        Convolving c = CudaBench.convolution(device, ones, 1);
        Buffer ahead = device.inputMemory(16, "ahead")) {
      CudaBench.input(s.plan(), 1, 0, 0, 1);
      for (int i = 0; i < 3; i++) {
        s.plan().run(1);
        s.plan().run(2);
      }
      CudaBench.write(c.plan().input("x"), 1, 1, 1, 1, 1, 1, 1, 1, 1);
      CudaBench.write(c.plan().input("dy"), 1, 1, 1, 1);
      for (int i = 0; i < 3; i++) {
        c.plan().run(1);
        assertThat(c.result(c.y(), 4)).containsExactly(5, 5, 5, 5);
        assertThat(c.result(c.dx(), 9)).containsExactly(1, 2, 1, 2, 4, 2, 1, 2, 1);
        assertThat(c.result(c.dw(), 4)).containsExactly(4, 4, 4, 4);
      }
      m.input(1, 10);
      m.run(1);
      assertThat(m.result(3)).containsExactly(41, 52, 63);
      CudaBench.write(ahead, 2, 20);
      device.send(ahead, 8);
      m.plan().bindInput("x", ahead);
      m.run(1);
      assertThat(m.result(3)).containsExactly(82, 104, 126);
      device.send(ahead, 16);
      s.plan().profile(1);
      assertThat(CudaBench.read(s.state(), 4)).containsExactly(1, 2, 0, 1);
    } finally {
      device.close();
    }
  }
}
