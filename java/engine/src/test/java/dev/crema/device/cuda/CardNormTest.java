package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.cuda.BatchNormLayer.Running;
import dev.crema.memory.ElementType;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Batch normalisation on a card by cuDNN where it has it, whether or not that is faster than
 * Crema's kernels: near to float64, and the same bits each time.
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

  private static void check(CudaDevice device, BatchNormLayer layer) {
    int batch = layer.examples();
    try (Running tried = layer.plan(device)) {
      layer.requireNear(layer.run(tried, batch), batch);
    }
    assertThat(device.choices().refused()).as("ways that wrote other numbers").isEmpty();
    for (String form : device.choices().all().keySet()) {
      device.choices().put(form, "cudnn");
    }
    List<float[]> first = null;
    for (int plan = 0; plan < 2; plan++) {
      try (Running running = layer.plan(device)) {
        for (int run = 0; run < 3; run++) { // at once, recorded, and from the graph
          List<float[]> results = layer.run(running, batch);
          layer.requireNear(results, batch);
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
