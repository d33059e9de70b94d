package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.cuda.AttentionLayer.Running;
import dev.crema.memory.ElementType;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Attention on a card by cuDNN where it has engines for it, whether or not they are faster than
 * Crema's kernels: near to float64, and the same bits each time.
 */
class CardAttentionTest {
  private static final ElementType BFLOAT16 = ElementType.BFLOAT16;
  private static final ElementType FLOAT16 = ElementType.FLOAT16;

  private static final List<AttentionLayer> SMALL =
      List.of(
          new AttentionLayer(BFLOAT16, true, true, 2, 2, 9, 9, 16, 16),
          new AttentionLayer(FLOAT16, false, false, 1, 2, 5, 7, 8, 24));

  /** Several blocks of queries and of keys; a last one that is not full. */
  private static final List<AttentionLayer> OF_CARDS =
      List.of(
          new AttentionLayer(BFLOAT16, true, true, 2, 4, 256, 256, 64, 64),
          new AttentionLayer(FLOAT16, false, true, 1, 3, 200, 200, 128, 128),
          new AttentionLayer(BFLOAT16, false, false, 2, 2, 130, 384, 128, 128),
          new AttentionLayer(BFLOAT16, true, false, 3, 2, 70, 77, 40, 40));

  @Test
  void onRealCards() {
    NearCards.real(
        device -> {
          SMALL.forEach(layer -> check(device, layer));
          OF_CARDS.forEach(layer -> check(device, layer));
        });
  }

  @Test
  void onAnEmulatedOne() {
    NearCards.emulated(
        "cudnnBackendExecute", device -> SMALL.forEach(layer -> check(device, layer)));
  }

  private static void check(CudaDevice device, AttentionLayer layer) {
    try (Running tried = layer.plan(device)) {
      layer.requireNear(layer.run(tried, layer.b()), layer.b());
    }
    assertThat(device.choices().refused()).as("ways that wrote other numbers").isEmpty();
    for (String form : device.choices().all().keySet()) {
      device.choices().put(form, "cudnn");
    }
    List<float[]> first = null;
    for (int plan = 0; plan < 2; plan++) {
      try (Running running = layer.plan(device)) {
        for (int run = 0; run < 3; run++) { // at once, recorded, and from the graph
          List<float[]> results = layer.run(running, layer.b());
          layer.requireNear(results, layer.b());
          first = first == null ? results : first;
          for (int i = 0; i < first.size(); i++) {
            assertThat(results.get(i)).as("output %d of %s", i, layer).isEqualTo(first.get(i));
          }
        }
        System.out.println(device.name() + ": " + layer + " by " + running.plan().ways());
      }
    }
  }
}
