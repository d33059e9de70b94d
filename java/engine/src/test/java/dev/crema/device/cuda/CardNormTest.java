package dev.crema.device.cuda;

import dev.crema.memory.ElementType;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Layer and batch normalisation on a card by cuDNN where it has them, whether or not that is faster
 * than Crema's kernels: near to float64, and the same bits each time.
 */
class CardNormTest {
  private static final List<BatchNormLayer> SMALL =
      List.of(
          BatchNormLayer.of(ElementType.FLOAT32, 3, 4, 5, 8),
          BatchNormLayer.of(ElementType.BFLOAT16, 5, 16));
  private static final List<BatchNormLayer> OF_CARDS =
      List.of(
          BatchNormLayer.of(ElementType.FLOAT32, 16, 14, 14, 64),
          BatchNormLayer.of(ElementType.BFLOAT16, 32, 28, 28, 128),
          BatchNormLayer.of(ElementType.FLOAT16, 7, 15, 13, 72),
          BatchNormLayer.of(ElementType.BFLOAT16, 9, 33, 40),
          BatchNormLayer.of(ElementType.FLOAT32, 3, 5, 7, 3));
  private static final List<LayerNormLayer> SMALL_ROWS =
      List.of(
          LayerNormLayer.of(ElementType.FLOAT32, 5, 24),
          LayerNormLayer.of(ElementType.BFLOAT16, 3, 40));
  private static final List<LayerNormLayer> ROWS_OF_CARDS =
      List.of(
          LayerNormLayer.of(ElementType.FLOAT32, 128, 1024),
          LayerNormLayer.of(ElementType.BFLOAT16, 70, 768),
          LayerNormLayer.of(ElementType.FLOAT16, 33, 1030),
          LayerNormLayer.of(ElementType.FLOAT32, 7, 17));

  @Test
  void onRealCards() {
    NearCards.real(
        device -> {
          check(device, SMALL, SMALL_ROWS);
          check(device, OF_CARDS, ROWS_OF_CARDS);
        });
  }

  @Test
  void onAnEmulatedOne() {
    NearCards.emulated("cudnnBackendExecute", device -> check(device, SMALL, SMALL_ROWS));
  }

  private static void check(
      CudaDevice device, List<BatchNormLayer> layers, List<LayerNormLayer> ofRows) {
    for (BatchNormLayer layer : layers) {
      NearCards.check(
          device,
          layer,
          layer::plan,
          running -> layer.run(running, layer.examples()),
          results -> layer.requireNear(results, layer.examples()));
    }
    for (LayerNormLayer layer : ofRows) {
      NearCards.check(device, layer, layer::plan, layer::run, layer::requireNear);
    }
  }
}
