package dev.crema.train;

import static dev.crema.train.LossCheck.lossAndGradient;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.crema.graph.Op;
import dev.crema.op.Affine;
import dev.crema.op.Sigmoid;
import dev.crema.op.Softmax;
import org.junit.jupiter.api.Test;

/** Losses and gradients where scores or targets are extreme. */
class LossLimitsTest {
  @Test
  void extremeLogitsGiveTheLimitsAndNoNan() {
    float[] perfect = {1e4f, -1e4f};
    float[] worst = {-1e4f, 1e4f};
    float[] target = {1, 0};
    Op sigmoid = new Sigmoid();
    Op softmax = new Softmax();
    assertThat(lossAndGradient(Losses.of("bce"), sigmoid, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("bce"), sigmoid, worst, target))
        .containsExactly(1e4f, -0.5f, 0.5f);
    assertThat(lossAndGradient(Losses.of("cce"), softmax, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("cce"), softmax, worst, target))
        .containsExactly(2e4f, -1, 1);
    assertThat(lossAndGradient(Losses.of("kld"), softmax, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("kld"), softmax, worst, target))
        .containsExactly(2e4f, -1, 1);
    assertThat(lossAndGradient(Losses.of("hinge"), sigmoid, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("hinge"), sigmoid, worst, target))
        .containsExactly(10_001, -0.5f, 0.5f);
    assertThat(lossAndGradient(Losses.of("categorical_hinge"), softmax, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("categorical_hinge"), softmax, worst, target))
        .containsExactly(20_001, -1, 1);
    assertThat(lossAndGradient(Losses.of("huber"), null, worst, target))
        .containsExactly(10_000, -0.5f, 0.5f);
  }

  @Test
  void probabilitiesOfZeroAndOneGiveAFiniteLossAndGradient() {
    float[] target = {1, 0};
    Op halved = new Affine(0.5, 0); // not a sigmoid: taken as probabilities
    float[] perfect = lossAndGradient(Losses.of("bce"), halved, new float[] {2, 0}, target);
    assertThat(perfect).containsExactly(0, 0, 0);
    float[] worst = lossAndGradient(Losses.of("bce"), halved, new float[] {0, 2}, target);
    assertThat(worst[0]).isEqualTo(100); // logarithms end at -100
    assertThat(worst[1]).isNegative().isFinite();
    assertThat(worst[2]).isPositive().isFinite();
  }

  @Test
  void cosineOfNothingIsZero() {
    float[] result =
        lossAndGradient(Losses.of("cosine"), null, new float[] {3, 4}, new float[] {0, 0});
    assertThat(result).containsExactly(0, 0, 0);
    float[] far =
        lossAndGradient(
            Losses.of("cosine"), null, new float[] {1e4f, -1e4f}, new float[] {-1e4f, 1e4f});
    assertThat(far[0]).isCloseTo(1, offset(1e-6f));
    assertThat(far[1]).isCloseTo(0, offset(1e-9f));
  }
}
