package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.io.Content;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MasksTest {
  private static final String KERNEL = "dense_1/kernel"; // 5 x 7: not a whole number of bytes

  @TempDir private Path folder;

  private static Model model() {
    return Model.sequential(5)
        .dense(7, Activation.RELU)
        .add(new BatchNorm())
        .dense(3, Activation.SOFTMAX)
        .build(1);
  }

  private static boolean[] random(int elements) {
    Random random = new Random(2);
    boolean[] kept = new boolean[elements];
    for (int i = 0; i < elements; i++) {
      kept[i] = random.nextBoolean();
    }
    return kept;
  }

  private static void requireZeros(Model model, boolean... kept) {
    float[] w = model.get(KERNEL);
    for (int i = 0; i < kept.length; i++) {
      assertThat(w[i] != 0).as("element %s", i).isEqualTo(kept[i]);
    }
  }

  @Test
  void aMaskSetsWhatItPrunesToZeroAndNothingElse() {
    try (Model model = model()) {
      assertThat(model.masks().isEmpty()).isTrue();
      assertThat(model.masks().get(KERNEL)).hasSize(35).doesNotContain(false);
      float[] before = model.get(KERNEL);
      float[] other = model.get("dense_2/kernel");
      boolean[] kept = random(35);
      model.masks().set(KERNEL, kept);
      assertThat(model.masks().paths()).containsExactly(KERNEL);
      assertThat(model.masks().get(KERNEL)).isEqualTo(kept);
      assertThat(model.masks().get("dense_2/kernel")).doesNotContain(false);
      float[] after = model.get(KERNEL);
      for (int i = 0; i < 35; i++) {
        assertThat(after[i]).isEqualTo(kept[i] ? before[i] : 0);
      }
      assertThat(model.get("dense_2/kernel")).isEqualTo(other);
    }
  }

  @Test
  void predictionsSeeThatWeightsWerePruned() {
    try (Model model = model()) {
      float[] x = {1, 2, 3, 4, 5};
      float[] before = model.predict(x);
      float[][] batch = model.predict(new float[][] {x, x});
      assertThat(model.predict(x)).isEqualTo(before);
      model.masks().set(KERNEL, new boolean[35]);
      float third = 1 / 3f; // all units give 0, so all classes the same
      assertThat(model.predict(x)).containsExactly(third, third, third);
      assertThat(model.predict(new float[][] {x, x})[1]).containsExactly(third, third, third);
      assertThat(batch[0]).isNotEqualTo(new float[] {third, third, third});
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "model.zip"})
  void masksAreSavedLoadedAndCopied(String name) {
    boolean[] kept = random(35);
    boolean[] bias = {true, false, true, true, false, true, true};
    try (Model model = model()) {
      model.masks().set(KERNEL, kept);
      model.masks().set("dense_1/bias", bias);
      model.save(folder.resolve(name));
      try (Model loaded = Model.load(folder.resolve(name));
          Model copy = loaded.copy()) {
        for (Model m : List.of(loaded, copy)) {
          assertThat(m.masks().paths()).containsExactly(KERNEL, "dense_1/bias");
          assertThat(m.masks().get(KERNEL)).isEqualTo(kept);
          assertThat(m.masks().get("dense_1/bias")).isEqualTo(bias);
          assertThat(m.get(KERNEL)).isEqualTo(model.get(KERNEL));
        }
        copy.masks().clear();
        assertThat(loaded.masks().get(KERNEL)).isEqualTo(kept);
      }
    }
  }

  @Test
  void clearLeavesTheZerosAndAModelWithoutMasksHasNoFileOfThem() {
    try (Model model = model()) {
      model.masks().set(KERNEL, random(35));
      model.save(folder.resolve("masked"));
      assertThat(folder.resolve("masked").resolve("masks.safetensors")).exists();
      float[] pruned = model.get(KERNEL);
      model.masks().clear();
      assertThat(model.masks().isEmpty()).isTrue();
      assertThat(model.masks().get(KERNEL)).doesNotContain(false);
      assertThat(model.get(KERNEL)).isEqualTo(pruned);
      model.save(folder.resolve("masked"));
      assertThat(folder.resolve("masked").resolve("masks.safetensors")).doesNotExist();
    }
  }

  @Test
  void applyPrunesAgainWhatWasWritten() {
    boolean[] kept = random(35);
    try (Model model = model()) {
      model.masks().set(KERNEL, kept);
      float[] ones = new float[35];
      java.util.Arrays.fill(ones, Float.NaN);
      model.set(KERNEL, ones);
      model.masks().apply();
      requireZeros(model, kept);
    }
  }

  @Test
  void masksThatDoNotFitAreRefused() {
    try (Model model = model()) {
      assertThatThrownBy(() -> model.masks().set("dense_9/kernel", new boolean[1]))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("no parameter 'dense_9/kernel'")
          .hasMessageContaining(KERNEL);
      assertThatThrownBy(() -> model.masks().set(KERNEL, new boolean[34]))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("[5, 7] (35 values), got a mask of 34");
      assertThatThrownBy(() -> model.masks().set("batch_norm_1/running_mean", new boolean[7]))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("running_mean is no parameter that training changes");
      assertThatThrownBy(() -> model.masks().set(null, new boolean[7]))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("path");
      assertThatThrownBy(() -> model.masks().set(KERNEL, null))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("kept");
      assertThat(model.masks().isEmpty()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dense_9/kernel", KERNEL, "batch_norm_1/running_mean"})
  void aFileWithMasksOfOtherParametersIsRefused(String path) {
    NamedTensor mask =
        NamedTensor.of(path, ElementType.UINT8, Shape.of(2), ByteBuffer.wrap(new byte[2]));
    Content file = Safetensors.content(List.of(mask), Map.of());
    try (Model model = model()) {
      model.save(folder.resolve("model"), Map.of(MaskFiles.NAME, file));
      assertThatThrownBy(() -> Model.load(folder.resolve("model")))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("masks.safetensors: the mask '" + path + "' (U8 [2])")
          .hasMessageContaining("do not belong together");
    }
  }
}
