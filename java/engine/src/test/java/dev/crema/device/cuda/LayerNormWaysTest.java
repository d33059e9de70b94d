package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.device.cuda.LayerNormLayer.Running;
import dev.crema.memory.ElementType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layer normalisation by cuDNN's operations, where a card may choose them. */
class LayerNormWaysTest {
  private static final String EXECUTE = "cudnnBackendExecute";

  private final FakeCard fake = new FakeCard();

  @BeforeEach
  void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    fake.fakeDriver().milliseconds.put("cuLaunchKernel layer_norm", 9f);
    fake.fakeDriver().milliseconds.put(EXECUTE, 1f);
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, 5, 24", "BFLOAT16, 7, 40", "FLOAT16, 1, 17", "FLOAT32, 3, 1030"})
  void cudnnsOperationsAreLayerNormAndItsGradient(ElementType type, int rows, int n) {
    LayerNormLayer layer = LayerNormLayer.of(type, rows, n);
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) { // tried, recorded, and from the graph
        layer.requireNear(layer.run(running));
      }
      assertThat(card.choices())
          .hasSize(2)
          .allSatisfy((form, k) -> assertThat(k).isEqualTo("cudnn"));
      assertThat(((CudaDevice) card.device()).choices().refused()).isEmpty();
      fake.clearLog();
      layer.requireNear(layer.run(running));
      assertThat(fake.log("cuLaunchKernel layer_norm")).isEmpty();
      assertThat(running.plan().ways())
          .containsExactlyInAnyOrder(
              "norm (LayerNorm): cudnn", "norm.gradient (LayerNormGrad): cudnn");
    }
  }

  @Test
  void withoutScaleAndShiftItIsOurs() {
    LayerNormLayer layer = new LayerNormLayer(ElementType.FLOAT32, false, 3, 8);
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      layer.requireNear(layer.run(running));
      assertThat(card.choices()).isEmpty();
      assertThat(fake.log("cudnn")).isEmpty();
    }
  }

  @Test
  void whereNoEngineIsThereItIsOurs() {
    fake.refusesGraphs = true;
    LayerNormLayer layer = LayerNormLayer.of(ElementType.FLOAT16, 3, 8);
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      layer.requireNear(layer.run(running));
      assertThat(card.choices()).hasSize(2).allSatisfy((form, k) -> assertThat(k).isEqualTo("own"));
      assertThat(fake.log(EXECUTE)).isEmpty();
    }
  }
}
