package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.device.cuda.EmulatedCard;
import dev.crema.graph.Precision;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses at the end of a network that is stored in 16 bits: nothing is cast for them alone. */
class HalfLossTest {
  private static final int ROWS = 8;

  /**
   * The input is cast, all parameters are by one launch, and what callers read of the outputs where
   * it is stored in 16 bits.
   */
  @ParameterizedTest
  @CsvSource({
    "sparse_categorical_crossentropy, SOFTMAX, 3",
    "categorical_crossentropy, SOFTMAX, 3",
    "binary_crossentropy, SIGMOID, 1",
    "mean_squared_error, LINEAR, 1",
    "mean_absolute_error, LINEAR, 1",
    "huber, LINEAR, 1",
    "kl_divergence, SOFTMAX, 3",
    "hinge, TANH, 1",
    "categorical_hinge, LINEAR, 3",
    "cosine_similarity, LINEAR, 3"
  })
  void onlyInputsAndParametersAreCast(String loss, Activation activation, int units) {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    Symbol x = Symbol.input("x", 6);
    Symbol y = x.then(Dense.of(8, Activation.RELU)).then(Dense.of(units, activation));
    try (EmulatedCard card = new EmulatedCard();
        Model model = Model.of(List.of(x), List.of(y), 1)) {
      Trainer trainer =
          Trainer.of(model)
              .device(card.device())
              .precision(Precision.BFLOAT16)
              .loss(Losses.of(loss));
      try (TrainingStep step = new TrainingStep(trainer, ROWS, trainer.outputs.usualHeads())) {
        step.run(ROWS, 0.05, true);
        long copies = card.calls("cuLaunchKernel elementwise_copy_mixed");
        assertThat(card.calls("cuLaunchKernel cast_all_bf16")).isEqualTo(1);
        assertThat(copies).isBetween(1L, 2L);
      }
    }
  }
}
