package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.Device;
import dev.crema.device.cuda.kernel.ElementwiseOperations;
import java.util.function.Consumer;

/** Cards that try near ways, whatever the environment says. */
final class NearCards {
  private NearCards() {}

  /** All that this machine has; without one it says so. */
  static void real(Consumer<CudaDevice> check) {
    for (CudaCard card : Device.cudaCards().usable()) {
      CudaDevice own = (CudaDevice) Device.cuda(card.ordinal());
      CudaOptions options =
          new CudaOptions(
              false, Measuring.ALL, KernelCache.standard(), ElementwiseOperations::number);
      CudaDevice device = new CudaDevice(own.context().libraries(), card, options);
      try {
        check.accept(device);
      } finally {
        device.close();
      }
    }
    if (Device.cudaCards().usable().isEmpty()) {
      System.out.println("Not tried on a card: there is none here");
    }
  }

  /**
   * An emulated one; without the emulation it says so.
   *
   * @param call of cuDNN that must have been made
   */
  static void emulated(String call, Consumer<CudaDevice> check) {
    if (EmulatedCard.missing() != null) {
      System.out.println("Not tried on an emulated card: " + EmulatedCard.missing());
      return;
    }
    try (EmulatedCard card = new EmulatedCard(new FakeCard(), Measuring.ALL)) {
      check.accept((CudaDevice) card.device());
      assertThat(card.calls(call)).isPositive();
    }
  }
}
