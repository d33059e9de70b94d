package dev.crema.device.cuda;

import dev.crema.device.cuda.RecurrentProgram.Size;
import dev.crema.plan.Plan;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Recurrent layers on a card by cuDNN where it has them, whether or not they are faster than
 * Crema's steps: near to the CPU, and the same bits each time.
 */
class CardRecurrentTest {
  private static final List<Size> SMALL = List.of(new Size(3, 4, 5, 6));
  private static final List<Size> OF_CARDS =
      List.of(new Size(32, 20, 64, 128), new Size(7, 33, 40, 96), new Size(1, 5, 16, 256));

  /** Of float32 by steps that feed one another: each keeps some of the errors of those before. */
  private static final float ROUNDING = 2e-4f;

  @Test
  void onRealCards() {
    NearCards.real(
        device -> {
          SMALL.forEach(size -> check(device, size));
          OF_CARDS.forEach(size -> check(device, size));
        });
  }

  @Test
  void onAnEmulatedOne() {
    NearCards.emulated(
        "cudnnRNNBackwardWeights", device -> SMALL.forEach(size -> check(device, size)));
  }

  private static void check(CudaDevice device, Size size) {
    for (boolean lstm : new boolean[] {true, false}) {
      for (boolean gradient : new boolean[] {true, false}) {
        try (RecurrentProgram layer = RecurrentProgram.of(lstm, gradient, true, size)) {
          check(device, layer, (lstm ? "LSTM, " : "GRU, ") + size);
        }
      }
    }
  }

  private static void check(CudaDevice device, RecurrentProgram layer, String what) {
    List<float[]> expected = layer.onTheCpu();
    NearCards.check(
        device,
        what,
        on -> {
          Plan plan = layer.plan(on);
          return () -> plan;
        },
        running -> layer.run(running.plan()),
        results -> RecurrentProgram.requireNear(results, expected, ROUNDING));
  }
}
