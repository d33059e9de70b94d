package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.nn.Activation;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Embedding;
import dev.crema.nn.Flatten;
import dev.crema.nn.Model;
import dev.crema.nn.Sequential;
import dev.crema.nn.Symbol;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrunerTest {
  private static Model mlp() {
    return Model.sequential(12)
        .dense(20, Activation.RELU)
        .dense(7, Activation.RELU)
        .dense(3, Activation.SOFTMAX)
        .build(5);
  }

  private static Model convolutions() {
    return Model.sequential(8, 8, 2)
        .add(Conv2d.of(6, 3))
        .add(new BatchNorm())
        .add(Conv2d.of(5, 3, Activation.RELU))
        .add(new Flatten())
        .dense(4, Activation.SOFTMAX)
        .build(3);
  }

  private static int zeros(float... values) {
    int zeros = 0;
    for (float v : values) {
      zeros += v == 0 ? 1 : 0;
    }
    return zeros;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.01, 0.5, 0.9, 0.999})
  void theSmallestWeightsOfEachLayerGo(double sparsity) {
    try (Model before = mlp();
        Model model = before.copy()) {
      Sparsity result = Pruner.magnitude().prune(model, sparsity);
      for (String path : new String[] {"dense_1/kernel", "dense_2/kernel", "dense_3/kernel"}) {
        float[] was = before.get(path);
        float[] is = model.get(path);
        int expected = (int) Math.min(was.length - 1, Math.round(sparsity * was.length));
        assertThat(zeros(is)).as(path).isEqualTo(expected);
        float[] sorted = new float[was.length];
        for (int i = 0; i < was.length; i++) {
          sorted[i] = Math.abs(was[i]);
        }
        Arrays.sort(sorted);
        for (int i = 0; i < was.length; i++) {
          boolean large = Math.abs(was[i]) >= sorted[expected];
          assertThat(is[i]).isEqualTo(large ? was[i] : 0);
        }
        assertThat(result.row(path).pruned()).isEqualTo(expected);
      }
      assertThat(result.row("dense_1/bias").pruned()).isZero();
      assertThat(model.masks().paths()).noneMatch(path -> path.endsWith("bias"));
    }
  }

  @Test
  void globallyTheSmallestOfAllLayersGo() {
    try (Model model = mlp()) {
      float[] large = model.get("dense_2/kernel");
      for (int i = 0; i < large.length; i++) {
        large[i] = 100 + i;
      }
      model.set("dense_2/kernel", large);
      Pruner global = Pruner.magnitude().scope(Scope.GLOBAL);
      Sparsity result = global.prune(model, 0.5);
      long all = 12 * 20 + 20 * 7 + 7 * 3;
      assertThat(result.pruned()).isEqualTo(Math.round(0.5 * all));
      assertThat(result.row("dense_2/kernel").pruned()).isZero();

      // More than all weights of the other two: each keeps its largest.
      float largest = 0;
      for (float w : model.get("dense_1/kernel")) {
        largest = Math.max(largest, Math.abs(w));
      }
      result = global.prune(model, 0.9);
      assertThat(result.row("dense_1/kernel").pruned()).isEqualTo(12 * 20 - 1);
      assertThat(result.row("dense_3/kernel").pruned()).isEqualTo(7 * 3 - 1);
      float[] left = model.get("dense_1/kernel");
      assertThat(zeros(left)).isEqualTo(left.length - 1);
      boolean found = false;
      for (float w : left) {
        found |= Math.abs(w) == largest;
      }
      assertThat(found).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"4,4", "1,16", "5,3", "12,1", "40,40"})
  void blocksGoWholeAndTheSmallestFirst(int rows, int columns) {
    try (Model before = mlp();
        Model model = before.copy()) {
      Pruner.magnitude().pattern(Pattern.block(rows, columns)).prune(model, 0.6);
      float[] was = before.get("dense_1/kernel"); // [12, 20]
      boolean[] kept = model.masks().get("dense_1/kernel");
      int blocks = 0;
      int pruned = 0;
      double mostPruned = 0;
      double leastKept = Double.POSITIVE_INFINITY;
      for (int r = 0; r < 12; r += rows) {
        for (int c = 0; c < 20; c += columns) {
          double squares = 0;
          int size = 0;
          int stay = 0;
          for (int i = r; i < Math.min(12, r + rows); i++) {
            for (int j = c; j < Math.min(20, c + columns); j++) {
              squares += Math.pow(was[i * 20 + j], 2);
              size++;
              stay += kept[i * 20 + j] ? 1 : 0;
            }
          }
          assertThat(stay).as("block at %s, %s", r, c).isIn(0, size);
          blocks++;
          pruned += stay == 0 ? 1 : 0;
          mostPruned = stay == 0 ? Math.max(mostPruned, squares / size) : mostPruned;
          leastKept = stay == 0 ? leastKept : Math.min(leastKept, squares / size);
        }
      }
      assertThat(pruned).isEqualTo((int) Math.min(blocks - 1, Math.round(0.6 * blocks)));
      assertThat(mostPruned).isLessThanOrEqualTo(leastKept);
    }
  }

  @Test
  void twoOfFourSuccessiveInputsStayTheLargest() {
    try (Model before = mlp();
        Model model = before.copy()) {
      Pruner.magnitude().pattern(Pattern.nOfM(2, 4)).exclude("dense_3").prune(model, 0.5);
      float[] was = before.get("dense_1/kernel");
      float[] is = model.get("dense_1/kernel");
      for (int r = 0; r < 12; r += 4) {
        for (int c = 0; c < 20; c++) {
          float[] group = new float[4];
          int kept = 0;
          for (int k = 0; k < 4; k++) {
            group[k] = Math.abs(was[(r + k) * 20 + c]);
            kept += is[(r + k) * 20 + c] != 0 ? 1 : 0;
          }
          assertThat(kept).isEqualTo(2);
          Arrays.sort(group);
          for (int k = 0; k < 4; k++) {
            float w = was[(r + k) * 20 + c];
            assertThat(is[(r + k) * 20 + c]).isEqualTo(Math.abs(w) >= group[2] ? w : 0);
          }
        }
      }
      assertThat(model.masks().paths()).containsExactly("dense_1/kernel", "dense_2/kernel");
    }
  }

  @Test
  void ofAChannelAllThatComputesItGoes() {
    try (Model before = convolutions();
        Model model = before.copy()) {
      Pruner.magnitude().pattern(Pattern.channel()).prune(model, 0.5);
      boolean[] conv = model.masks().get("conv2d_1/kernel"); // [3, 3, 2, 6]
      int gone = 0;
      for (int f = 0; f < 6; f++) {
        for (int i = 0; i < 18; i++) {
          assertThat(conv[i * 6 + f]).isEqualTo(conv[f]);
        }
        for (String follower :
            new String[] {"conv2d_1/bias", "batch_norm_1/gamma", "batch_norm_1/beta"}) {
          assertThat(model.masks().get(follower)[f]).as(follower).isEqualTo(conv[f]);
        }
        gone += conv[f] ? 0 : 1;
      }
      assertThat(gone).isEqualTo(3);
      assertThat(Sparsity.of(model).row("conv2d_2/bias").pruned()).isEqualTo(3); // 2.5 rounded
      // The classes all stay.
      assertThat(model.masks().paths()).noneMatch(path -> path.startsWith("dense_1"));
    }
  }

  @Test
  void whatIsPrunedStaysPrunedByAnyPattern() {
    try (Model model = mlp()) {
      Pruner.magnitude().pattern(Pattern.block(4, 4)).prune(model, 0.5);
      boolean[] first = model.masks().get("dense_1/kernel");
      Pruner.magnitude().prune(model, 0.3); // less than there is already
      assertThat(model.masks().get("dense_1/kernel")).isEqualTo(first);
      Pruner.magnitude().prune(model, 0.8);
      Pruner.magnitude().pattern(Pattern.nOfM(2, 4)).exclude("dense_3").prune(model, 0.5);
      boolean[] last = model.masks().get("dense_1/kernel");
      for (int i = 0; i < first.length; i++) {
        assertThat(last[i] && !first[i]).isFalse();
      }
      assertThat(Sparsity.of(model).row("dense_1/kernel").pruned()).isBetween(192L, 239L);
    }
  }

  @Test
  void equalAndZeroAndInfiniteWeightsAreRankedToo() {
    try (Model model = Model.sequential(10).dense(10).build(1)) {
      float[] w = new float[100];
      Arrays.fill(w, -2);
      model.set("dense_1/kernel", w);
      Pruner.magnitude().prune(model, 0.37);
      assertThat(zeros(model.get("dense_1/kernel"))).isEqualTo(37);
      model.masks().clear();
      Arrays.fill(w, 0, 90, 0);
      w[0] = Float.NEGATIVE_INFINITY;
      w[1] = Float.MIN_VALUE;
      model.set("dense_1/kernel", w);
      Pruner.magnitude().prune(model, 0.89);
      float[] left = model.get("dense_1/kernel");
      assertThat(left[0]).isEqualTo(Float.NEGATIVE_INFINITY);
      assertThat(left[1]).as("the smallest that is not 0 goes last").isZero();
      assertThat(zeros(left)).isEqualTo(89);
    }
  }

  @Test
  void layersAreExcludedAndOthersIncludedByName() {
    Symbol ids = Symbol.input("ids", TensorType.batchOf(ElementType.INT32, 4));
    Model embedded =
        Sequential.of(ids)
            .add(Embedding.of(10, 6))
            .add(new Flatten())
            .dense(3, Activation.SOFTMAX)
            .build(1);
    try (embedded;
        Model model = mlp()) {
      Sparsity result = Pruner.magnitude().exclude("dense_1", "dense_3").prune(model, 0.5);
      assertThat(result.row("dense_1/kernel").pruned()).isZero();
      assertThat(result.row("dense_2/kernel").sparsity()).isEqualTo(0.5);
      model.set(
          "dense_1/bias",
          new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
      result = Pruner.magnitude().include("dense_1/bias").prune(model, 0.6);
      assertThat(result.row("dense_1/bias").pruned()).isEqualTo(12);
      assertThat(model.get("dense_1/bias")).startsWith(0, 0, 3, 4);

      result = Pruner.magnitude().prune(embedded, 0.5);
      assertThat(result.row("embedding_1/table").pruned()).isZero();
      result = Pruner.magnitude().include("embedding_1/table").prune(embedded, 0.5);
      assertThat(result.row("embedding_1/table").sparsity()).isEqualTo(0.5);
    }
  }

  @Test
  void stripLeavesPlainWeights() {
    try (Model model = mlp()) {
      Pruner.magnitude().prune(model, 0.5);
      float[] pruned = model.get("dense_1/kernel");
      Pruner.strip(model);
      assertThat(model.masks().isEmpty()).isTrue();
      assertThat(model.get("dense_1/kernel")).isEqualTo(pruned);
      Sparsity stripped = Sparsity.of(model);
      assertThat(stripped.pruned()).isZero();
      assertThat(stripped.row("dense_1/kernel").zeros()).isEqualTo(120);
      assertThat(stripped.toString()).contains("dense_1/kernel", "[12, 20]", "all");
      assertThat(stripped.toJson().get(0).get("zeros").asLong()).isEqualTo(120);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1, -0.1, 1.5, Double.NaN, Double.POSITIVE_INFINITY})
  void impossibleSparsitiesAreRefused(double sparsity) {
    try (Model model = mlp()) {
      assertThatThrownBy(() -> Pruner.magnitude().prune(model, sparsity))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("above 0 and below 1")
          .hasMessageContaining("" + sparsity);
      assertThatThrownBy(() -> SparsitySchedule.constant(sparsity))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(model.masks().isEmpty()).isTrue();
    }
  }

  @Test
  void whatCannotBePrunedIsRefusedAndTheModelUnchanged() {
    try (Model model = mlp()) {
      float[] w = model.get("dense_2/kernel");
      w[3] = Float.NaN;
      model.set("dense_2/kernel", w);
      assertThatThrownBy(() -> Pruner.magnitude().prune(model, 0.5))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("dense_2/kernel cannot be ranked")
          .hasMessageContaining("1 of its 140 weights are NaN");
      assertThatThrownBy(() -> Pruner.magnitude().exclude("dens_1").prune(model, 0.5))
          .isInstanceOf(CremaException.class)
          .hasMessage(
              "There is no layer 'dens_1' to exclude from pruning; there are [dense_1, dense_2,"
                  + " dense_3]");
      assertThatThrownBy(() -> Pruner.magnitude().include("dense_1").prune(model, 0.5))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("no parameter 'dense_1'")
          .hasMessageContaining("dense_1/bias");
      Pruner all = Pruner.magnitude().exclude("dense_1", "dense_2", "dense_3");
      assertThatThrownBy(() -> all.prune(model, 0.5))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("nothing to prune")
          .hasMessageContaining("dense_2");
      Pruner twoOfFour = Pruner.magnitude().exclude("dense_2").pattern(Pattern.nOfM(2, 4));
      assertThatThrownBy(() -> twoOfFour.prune(model, 0.5))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("dense_3/kernel [7, 3] has 7 inputs")
          .hasMessageContaining("not divisible by 4");
      assertThatThrownBy(() -> twoOfFour.pattern(Pattern.nOfM(3, 9)).prune(model, 1 - 3.0 / 9))
          .isInstanceOf(CremaException.class)
          .as("all layers at once")
          .hasMessageContaining("Exclude dense_1,dense_3, or choose");
      assertThatThrownBy(() -> twoOfFour.prune(model, 0.9))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("The pattern 2:4 has the sparsity 0.5, got 0.9");
      assertThatThrownBy(() -> twoOfFour.during(SparsitySchedule.polynomial(0.2, 0.5, 0, 10)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("one sparsity");
      assertThat(model.masks().isEmpty()).isTrue();
    }
    try (Model single = Model.sequential(4).dense(2).build(1)) {
      assertThatThrownBy(() -> Pruner.magnitude().pattern(Pattern.channel()).prune(single, 0.5))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("no dense layer and no convolution stands before another");
    }
  }

  @Test
  void patternsAreReadByName() {
    for (String name : new String[] {"unstructured", "2:4", "1:8", "block:4x4", "channel"}) {
      assertThat(Pattern.parse(name)).hasToString(name);
    }
    for (String name : new String[] {"", "4:2", "0:4", "block:0x4", "block:4", "blocks"}) {
      assertThatThrownBy(() -> Pattern.parse(name))
          .as(name)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
