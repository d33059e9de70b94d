package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.nn.Activation;
import dev.crema.nn.Concat;
import dev.crema.nn.Dense;
import dev.crema.nn.Embedding;
import dev.crema.nn.Flatten;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A model of numbers and of words: training finds each input's block of the data. */
class SeveralInputsTest {
  private static final int ROWS = 80;
  private static final int WORDS = 2;
  private static final float[] NUMBERS = new float[ROWS * 2];
  private static final int[] IDS = new int[ROWS * WORDS];
  private static final int[] CLASSES = new int[ROWS];

  static {
    Random random = new Random(3);
    for (int i = 0; i < ROWS; i++) {
      NUMBERS[2 * i] = (float) random.nextGaussian();
      NUMBERS[2 * i + 1] = (float) random.nextGaussian();
      IDS[2 * i] = random.nextInt(6);
      IDS[2 * i + 1] = random.nextInt(6);
      // Neither input tells the class alone.
      CLASSES[i] = (NUMBERS[2 * i] > 0) == (IDS[2 * i] < 3) ? 1 : 0;
    }
  }

  private static Model model() {
    Symbol numbers = Symbol.input("numbers", 2);
    Symbol words = Symbol.input("words", TensorType.batchOf(WORDS).withElement(ElementType.INT32));
    Symbol embedded = words.then(Embedding.of(6, 3)).then(new Flatten());
    Symbol hidden = new Concat(null).apply(numbers, embedded).then(Dense.of(12, Activation.TANH));
    return Model.of(
        List.of(numbers, words), List.of(hidden.then(Dense.of(2, Activation.SOFTMAX))), 1);
  }

  private record Outcome(float[] parameters, History history) {}

  private static Outcome train(Dataset data) {
    try (Model model = model()) {
      History history =
          Trainer.of(model).optimizer(Optimizer.adam(0.03)).epochs(40).validation(data).fit(data);
      return new Outcome(TwoOutputs.parameters(model), history);
    }
  }

  @Test
  void inputsAreFoundByTheirNamesOrElseByTheirOrder() {
    Outcome ordered =
        train(
            Datasets.arrays()
                .input("numbers", NUMBERS, 2)
                .input("words", IDS, WORDS)
                .target("y", CLASSES)
                .build());
    assertThat(ordered.history.last().metric("val_accuracy")).isGreaterThan(0.95);
    Outcome turned =
        train(
            Datasets.arrays()
                .input("words", IDS, WORDS)
                .input("numbers", NUMBERS, 2)
                .target("y", CLASSES)
                .build());
    assertThat(turned.parameters).isEqualTo(ordered.parameters);
    Outcome unnamed =
        train(
            Datasets.arrays()
                .input("a", NUMBERS, 2)
                .input("b", IDS, WORDS)
                .target("y", CLASSES)
                .build());
    assertThat(unnamed.parameters).isEqualTo(ordered.parameters);
    assertThat(unnamed.history.series("val_loss")).isEqualTo(ordered.history.series("val_loss"));
  }

  @Test
  void inputsThatDoNotFitAreNamed() {
    assertThatThrownBy(
            () ->
                train(
                    Datasets.arrays()
                        .input("a", IDS, WORDS)
                        .input("b", NUMBERS, 2)
                        .target("y", CLASSES)
                        .build()))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("The model's input 'numbers' is [n, 2]")
        .hasMessageContaining("the data's 'a' is [n, 2] int32");
    assertThatThrownBy(
            () -> train(Datasets.arrays().input("a", NUMBERS, 2).target("y", CLASSES).build()))
        .hasMessageContaining("2 inputs but the data has 1");
  }
}
