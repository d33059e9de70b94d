package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.Device;
import dev.crema.device.cuda.kernel.ElementwiseOperations;
import java.util.Map;

/**
 * A CUDA device without a card: Crema's kernels run on the host by the emulation, products and
 * convolutions by plain loops. Closing it checks that everything was given back.
 */
public final class EmulatedCard implements AutoCloseable {
  private final CudaBench bench;

  public EmulatedCard() {
    this(new FakeCard());
  }

  EmulatedCard(FakeCard card) {
    this(card, false);
  }

  /**
   * @param measures whether the ways to compute an instruction are tried, of those of the same bits
   */
  EmulatedCard(FakeCard card, boolean measures) {
    this(card, measures ? Measuring.SAME_BITS : Measuring.NOTHING);
  }

  EmulatedCard(FakeCard card, Measuring measuring) {
    KernelCache none = new KernelCache(null);
    this.bench =
        new CudaBench(card, new CudaOptions(false, measuring, none, ElementwiseOperations::number));
  }

  /** Why there is no emulation here; null if there is. */
  public static String missing() {
    return EmulatedKernels.missing();
  }

  public Device device() {
    return bench.device;
  }

  /** Which ways were found to be the fastest, by form. */
  Map<String, String> choices() {
    return bench.device.choices().all();
  }

  /** Calls of a name since the last {@link #clearLog}. */
  public long calls(String start) {
    return bench.card.log(start).size();
  }

  /** From now on cuDNN has no convolution that adds a bias. */
  public void refuseEpilogues() {
    bench.card.refusesEpilogues = true;
  }

  public void clearLog() {
    bench.card.clearLog();
  }

  @Override
  public void close() {
    bench.close();
    assertThat(bench.card.live).isEmpty();
    assertThat(bench.card.misuses).isEmpty();
  }
}
