package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.Device;
import dev.crema.device.cuda.kernel.ElementwiseOperations;
import dev.crema.plan.Plan;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** Cards that try near ways, whatever the environment says. */
final class NearCards {
  private NearCards() {}

  /** A plan of a layer. */
  interface Running extends AutoCloseable {
    Plan plan();

    @Override
    default void close() {
      plan().close();
    }
  }

  /**
   * Has a layer computed by cuDNN where the card has that, whether or not it is faster: near to
   * what is expected, and the same bits each time.
   */
  static <R extends Running> void check(
      CudaDevice device,
      Object layer,
      Function<Device, R> start,
      Function<R, List<float[]>> run,
      Consumer<List<float[]>> requireNear) {
    try (R tried = start.apply(device)) {
      requireNear.accept(run.apply(tried));
    }
    assertThat(device.choices().refused()).as("ways that wrote other numbers").isEmpty();
    for (String form : device.choices().all().keySet()) {
      device.choices().put(form, "cudnn");
    }
    List<float[]> first = null;
    for (int plan = 0; plan < 2; plan++) {
      try (R running = start.apply(device)) {
        for (int time = 0; time < 3; time++) { // at once, recorded, and from the graph
          List<float[]> results = run.apply(running);
          requireNear.accept(results);
          first = first == null ? results : first;
          for (int i = 0; i < first.size(); i++) {
            assertThat(results.get(i)).as("output %d of %s", i, layer).isEqualTo(first.get(i));
          }
        }
        System.out.println(device.name() + ": " + layer + " by " + running.plan().ways());
      }
    }
  }

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
