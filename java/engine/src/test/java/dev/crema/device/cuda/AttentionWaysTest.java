package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.device.cuda.AttentionLayer.Running;
import dev.crema.memory.ElementType;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention by cuDNN's graphs of operations, where a card may choose it. */
class AttentionWaysTest {
  private static final String EXECUTE = "cudnnBackendExecute";
  private static final String OWN = "cuLaunchKernel attention_";
  private static final String OWN_GRADIENT = "cuLaunchKernel attention_grad_";

  private final FakeCard fake = new FakeCard();

  @BeforeEach
  void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    takes(OWN, 9);
    takes(EXECUTE, 1);
  }

  private void takes(String call, float milliseconds) {
    fake.fakeDriver().milliseconds.put(call, milliseconds);
  }

  private static AttentionLayer layer(boolean inside, boolean causal) {
    return new AttentionLayer(ElementType.BFLOAT16, inside, causal, 2, 3, 5, 5, 16, 8);
  }

  @ParameterizedTest
  @CsvSource({
    "BFLOAT16, false, false, 2, 3, 5, 7, 16, 8",
    "BFLOAT16, true, false, 2, 3, 5, 7, 8, 24",
    "BFLOAT16, false, true, 1, 2, 19, 19, 40, 16",
    "BFLOAT16, true, true, 2, 2, 9, 9, 16, 16",
    "FLOAT16, true, true, 2, 3, 6, 6, 24, 24",
    "FLOAT16, false, false, 3, 1, 1, 4, 8, 8",
    "FLOAT16, true, false, 2, 1, 4, 3, 128, 128"
  })
  void cudnnsGraphsAreAttentionAndItsGradient(
      ElementType type, boolean inside, boolean causal, int b, int h, int t, int s, int d, int e) {
    AttentionLayer layer = new AttentionLayer(type, inside, causal, b, h, t, s, d, e);
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      layer.requireNear(layer.run(running, b), b); // tried
      assertThat(card.choices())
          .hasSize(2)
          .allSatisfy((form, k) -> assertThat(k).isEqualTo("cudnn"));
      assertThat(((CudaDevice) card.device()).choices().refused()).isEmpty();
      for (int run = 0; run < 2; run++) { // recorded, and from the graph
        fake.clearLog();
        layer.requireNear(layer.run(running, b), b);
        assertThat(fake.log(OWN)).isEmpty();
        assertThat(fake.log(EXECUTE)).hasSize(run == 0 ? 2 : 0);
      }
      layer.requireNear(layer.run(running, 1), 1); // of its own extents
    }
  }

  @Test
  void formsSayWhatTheTimeDependsOn() {
    AttentionLayer layer = new AttentionLayer(ElementType.FLOAT16, true, true, 3, 2, 6, 6, 24, 8);
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      layer.run(running, 3);
      assertThat(card.choices().keySet())
          .containsExactlyInAnyOrder(
              "attention float16 [4, 2, 6, 24] by [6, 8], causal, heads inside",
              "attention_grad float16 [4, 2, 6, 24] by [6, 8], causal, heads inside");
    }
  }

  /** Both passes read and write the same logarithms of sums. */
  @ParameterizedTest
  @CsvSource({"true, false", "true, true", "false, false", "false, true"})
  void eitherPassMayBeCudnns(boolean forward, boolean inside) {
    takes(OWN, 0);
    takes(EXECUTE, 5);
    takes(forward ? "cuLaunchKernel attention_32" : OWN_GRADIENT, 20);
    AttentionLayer layer = layer(inside, true);
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) {
        layer.requireNear(layer.run(running, 2), 2);
      }
      Map<String, String> choices = card.choices();
      choices.forEach(
          (form, kind) ->
              assertThat(kind)
                  .as(form)
                  .isEqualTo(form.startsWith("attention_grad") == forward ? "own" : "cudnn"));
      assertThat(choices).hasSize(2);
    }
  }

  @Test
  void nobodyAsksCudnnWhereResultsMayNotDependOnTheChoice() {
    AttentionLayer layer = layer(true, false);
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.SAME_BITS);
        Running running = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) {
        layer.requireNear(layer.run(running, 2), 2);
      }
      assertThat(card.choices()).isEmpty();
      assertThat(fake.log("cudnn")).isEmpty();
    }
  }

  /** Both passes are ours, or the gradient alone. */
  private void isOwn(AttentionLayer layer, boolean both) {
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      for (int run = 0; run < 3; run++) {
        layer.requireNear(layer.run(running, layer.b()), layer.b());
      }
      assertThat(fake.log(EXECUTE).isEmpty()).isEqualTo(both);
      card.choices()
          .forEach(
              (form, kind) ->
                  assertThat(kind)
                      .isEqualTo(both || form.startsWith("attention_grad") ? "own" : "cudnn"));
    }
  }

  @Test
  void whereNoEngineKnowsThePatternOursGoOn() {
    fake.refusesGraphs = true;
    isOwn(layer(true, true), true);
  }

  @Test
  void olderVersionsAreNotAsked() {
    fake.fakeDnn().version = 91100;
    isOwn(layer(false, true), true);
    assertThat(fake.log("cudnnBackend")).isEmpty();
  }

  @Test
  void keysThatAreNo128sNeedANewerVersionForTheGradient() {
    fake.fakeDnn().version = 91500;
    isOwn(layer(false, false), false);
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 103, 110})
  void gradientsWhoseSumsHaveNoFixedOrderAreNotTaken(int capability) {
    fake.fakeDriver().capability = capability;
    isOwn(layer(false, false), false);
  }

  @ParameterizedTest
  @ValueSource(ints = {80, 89, 120})
  void gradientsOfOtherCardsRepeatByTheSameGraph(int capability) {
    fake.fakeDriver().capability = capability;
    AttentionLayer layer = layer(true, true);
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Running running = layer.plan(card.device())) {
      layer.requireNear(layer.run(running, layer.b()), layer.b());
      assertThat(card.choices().values()).containsExactly("cudnn", "cudnn");
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT16, 12, 8", "BFLOAT16, 8, 20", "BFLOAT16, 136, 8", "FLOAT32, 16, 16"})
  void otherHeadsAreOurs(ElementType type, int d, int e) {
    AttentionLayer layer = new AttentionLayer(type, false, false, 1, 2, 3, 4, d, e);
    isOwn(layer, true);
    assertThat(fake.log("cudnn")).isEmpty();
  }

  @Test
  void withoutCudnnOursGoOn() {
    fake.fakeDnn().cudaVersion = 12080; // is for another CUDA
    isOwn(layer(true, true), true);
  }
}
