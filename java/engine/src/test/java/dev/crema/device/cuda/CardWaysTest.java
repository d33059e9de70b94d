package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.Device;
import dev.crema.device.cuda.ByteLayer.Kind;
import dev.crema.plan.Plan;
import org.junit.jupiter.api.Test;

/** What a card finds when it tries all ways to compute layers of bytes: none may lie. */
class CardWaysTest {
  private static final int[][] SMALL = {{7, 48, 32}, {3, 33, 17}}; // rows, inputs, units

  /** Several tiles of each size, and more of k than their stages hold. */
  private static final int[][] OF_CARDS = {{1, 1024, 64}, {130, 144, 136}, {5, 1040, 32}};

  private static final int MOST_IMAGES = 3;

  @Test
  void allWaysOfRealCardsWriteTheCpusBits() {
    for (CudaCard card : Device.cudaCards().usable()) {
      CudaDevice device = (CudaDevice) Device.cuda(card.ordinal());
      check(device, SMALL);
      check(device, OF_CARDS);
    }
    if (Device.cudaCards().usable().isEmpty()) {
      System.out.println("Not tried on a card: there is none here");
    }
  }

  @Test
  void soDoThoseOfEmulatedKernels() {
    if (EmulatedCard.missing() != null) {
      System.out.println("Not tried on an emulated card: " + EmulatedCard.missing());
      return;
    }
    try (EmulatedCard card = new EmulatedCard(new FakeCard(), true)) {
      check((CudaDevice) card.device(), SMALL);
    }
  }

  private static void check(CudaDevice device, int[][] shapes) {
    for (int[] shape : shapes) {
      for (Kind kind : Kind.values()) {
        boolean convolves = kind == Kind.CONVOLUTION || kind == Kind.WINDOWS;
        int rows = convolves ? Math.min(MOST_IMAGES, shape[0]) : shape[0];
        try (ByteLayer layer = new ByteLayer(kind, rows, shape[1], shape[2]);
            Plan plan = layer.plan(device)) {
          byte[] expected = layer.onTheCpu();
          for (int run = 0; run < 3; run++) { // tried, recorded, and from the graph
            assertThat(layer.run(plan, rows))
                .as("%s by %s, run %d", kind, plan.ways(), run)
                .isEqualTo(expected);
          }
          if (device.measuring() != Measuring.NOTHING) {
            assertThat(device.choices().all()).isNotEmpty();
          }
        }
      }
    }
    assertThat(device.choices().refused()).as("ways that wrote other bits than most").isEmpty();
  }
}
