package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.CremaException;
import dev.crema.device.cuda.BatchNormLayer.Running;
import dev.crema.memory.ElementType;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Batch normalisation by cuDNN's operations, where a card may choose them. */
class BatchNormWaysTest {
  private static final String EXECUTE = "cudnnBackendExecute";
  private static final BatchNormLayer SMALL = BatchNormLayer.of(ElementType.FLOAT32, 3, 2, 2, 5);

  private final FakeCard fake = new FakeCard();

  @BeforeEach
  void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    cudnnIsFaster(true);
  }

  private void cudnnIsFaster(boolean faster) {
    fake.fakeDriver().milliseconds.put("cuLaunchKernel batch_norm", faster ? 9f : 1f);
    fake.fakeDriver().milliseconds.put(EXECUTE, faster ? 1f : 9f);
  }

  static List<BatchNormLayer> layers() {
    return List.of(
        BatchNormLayer.of(ElementType.FLOAT32, 4, 5, 7, 24),
        BatchNormLayer.of(ElementType.BFLOAT16, 3, 3, 5, 40),
        BatchNormLayer.of(ElementType.FLOAT16, 5, 17),
        BatchNormLayer.of(ElementType.FLOAT32, 3, 33, 6),
        BatchNormLayer.of(ElementType.FLOAT32, 2, 2, 3, 2, 9));
  }

  /** A trial launches each way several times, and its run once more. */
  @ParameterizedTest
  @MethodSource("layers")
  void cudnnsOperationsAreBatchNormAndStatisticsMoveOnceARun(BatchNormLayer layer) {
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) { // tried, recorded, and from the graph
        layer.requireNear(layer.run(running, layer.examples()), layer.examples());
      }
      assertThat(card.choices())
          .hasSize(2)
          .allSatisfy((form, k) -> assertThat(k).isEqualTo("cudnn"));
      assertThat(((CudaDevice) card.device()).choices().refused()).isEmpty();
      fake.clearLog();
      layer.requireNear(layer.run(running, layer.examples()), layer.examples());
      assertThat(running.plan().ways())
          .containsExactlyInAnyOrder(
              "norm (BatchNorm): cudnn", "norm.gradient (BatchNormGrad): cudnn");
      assertThat(fake.log("cuLaunchKernel batch_norm_finish")).isEmpty();
      int fewer = layer.examples() - 1;
      layer.requireNear(layer.run(running, fewer), fewer);
    }
  }

  /** Statistics of one pass are read by the other's gradient, whichever they are. */
  @ParameterizedTest
  @ValueSource(strings = {"batch_norm ", "batch_norm_grad "})
  void eitherPassMayBeOurs(String own) {
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL)) {
      try (Running tried = SMALL.plan(card.device())) {
        SMALL.run(tried, 3);
      }
      Choices choices = ((CudaDevice) card.device()).choices();
      for (String form : choices.all().keySet()) {
        choices.put(form, form.startsWith(own) ? "own" : "cudnn");
      }
      try (Running running = SMALL.plan(card.device())) {
        SMALL.requireNear(SMALL.run(running, 3), 3);
        assertThat(running.plan().ways()).hasSize(2).anyMatch(way -> way.endsWith(": own"));
      }
    }
  }

  @Test
  void withoutScaleAndShiftItIsOurs() {
    BatchNormLayer layer = new BatchNormLayer(ElementType.FLOAT32, false, 3, List.of(2, 8));
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      layer.requireNear(layer.run(running, 3), 3);
      assertThat(card.choices()).isEmpty();
      assertThat(fake.log("cudnn")).isEmpty();
    }
  }

  @Test
  void whereNoEngineIsThereItIsOurs() {
    fake.refusesGraphs = true;
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = SMALL.plan(card.device())) {
      SMALL.requireNear(SMALL.run(running, 3), 3);
      assertThat(card.choices()).hasSize(2).allSatisfy((form, k) -> assertThat(k).isEqualTo("own"));
      assertThat(fake.log(EXECUTE)).isEmpty();
    }
  }

  @Test
  void byDefaultItIsOurs() {
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.SAME_BITS);
        Running running = SMALL.plan(card.device())) {
      SMALL.requireNear(SMALL.run(running, 3), 3);
      assertThat(fake.log("cudnn")).isEmpty();
    }
  }

  @Test
  void nanIsInAllThatComesOfItsChannelAndNowhereElse() {
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL)) {
      try (Running tried = SMALL.plan(card.device())) {
        SMALL.run(tried, 3);
      }
      try (Running running = SMALL.plan(card.device())) {
        float[] x = new float[3 * 2 * 2 * 5];
        for (int i = 0; i < x.length; i++) {
          x[i] = i % 7;
        }
        x[6] = Float.NaN;
        List<float[]> results = SMALL.run(running, 3, x);
        for (float[] result : results.subList(0, 5)) {
          for (int i = 0; i < result.length; i++) {
            assertThat(Float.isNaN(result[i])).isEqualTo(i % 5 == 1);
          }
        }
      }
    }
  }

  /** 1: an invalid value; 3000: something is not supported. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3000})
  void whicheverCallFailsStatisticsDoNotMoveTwice(int status) {
    boolean failed = true;
    int threw = 0;
    for (int k = 1; failed; k++) {
      FakeCard card = new FakeCard();
      try (EmulatedCard emulated = new EmulatedCard(card, Measuring.ALL);
          Running running = SMALL.plan(emulated.device())) {
        card.failAt(k, status);
        SMALL.requireNear(SMALL.run(running, 3), 3);
      } catch (CremaException e) {
        threw++;
        assertThat(e.getMessage()).isNotBlank();
      }
      failed = card.hasFailed();
    }
    assertThat(threw).isPositive();
  }
}
