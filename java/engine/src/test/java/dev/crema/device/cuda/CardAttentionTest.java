package dev.crema.device.cuda;

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
    NearCards.check(
        device,
        layer,
        layer::plan,
        running -> layer.run(running, layer.b()),
        results -> layer.requireNear(results, layer.b()));
  }
}
