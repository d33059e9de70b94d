package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Datasets with several inputs and a target for each output of a model. */
class SeveralTargetsTest {
  private static final List<Dataset.Slot> INPUTS =
      List.of(
          new Dataset.Slot("a", ElementType.FLOAT32, Shape.of(2)),
          new Dataset.Slot("ids", ElementType.INT32, Shape.of(2)));
  private static final List<Dataset.Slot> TARGETS =
      List.of(
          new Dataset.Slot("kind", ElementType.INT32, Shape.of()),
          new Dataset.Slot("place", ElementType.FLOAT32, Shape.of(3)),
          new Dataset.Slot("tags", ElementType.INT32, Shape.of(2)));
  private static final List<List<String>> NAMES =
      List.of(List.of("cat", "dog"), List.of(), List.of());

  private static IndexedDataset arrays(int n) {
    float[][] a = new float[n][];
    int[] ids = new int[2 * n];
    int[] kinds = new int[n];
    float[] places = new float[3 * n];
    int[] tags = new int[2 * n];
    for (int i = 0; i < n; i++) {
      a[i] = new float[] {i, -i};
      ids[2 * i] = 1000 + i;
      kinds[i] = i % 4 == 0 ? 1 : 0;
      places[3 * i + 2] = i / 2f;
      tags[2 * i + 1] = i;
    }
    return Datasets.arrays()
        .input("a", a)
        .input("ids", ids, 2)
        .target("kind", kinds, NAMES.get(0))
        .target("place", places, 3)
        .target("tags", tags, 2)
        .build();
  }

  private static Dataset stream(int n) {
    return Datasets.streamOfSeveral(
        INPUTS,
        TARGETS,
        NAMES,
        () ->
            IntStream.range(0, n)
                .mapToObj(
                    i ->
                        Example.of(
                            List.of(new float[] {i, -i}, new float[] {1000 + i, 0}),
                            List.of(
                                new float[] {i % 4 == 0 ? 1 : 0},
                                new float[] {0, 0, i / 2f},
                                new float[] {0, i})))
                .iterator());
  }

  @Test
  void everyBlockOfAnExampleIsRead() {
    IndexedDataset data = arrays(9);
    assertThat(data.inputs()).isEqualTo(INPUTS);
    assertThat(data.targets()).isEqualTo(TARGETS);
    assertThat(data.classNames(0)).containsExactly("cat", "dog");
    assertThat(data.classNames(1)).isEmpty();
    assertThat(Rows.all(data).get(4)).containsExactly(4f, -4f, 1004f, 0f, 1f, 0f, 0f, 2f, 0f, 4f);
    assertThat(Rows.all(data, Order.shuffled(3), 2))
        .containsExactlyInAnyOrderElementsOf(Rows.all(data))
        .isNotEqualTo(Rows.all(data));
  }

  @Test
  void aStreamGivesWhatTheArraysGive() {
    assertThat(stream(9).inputs()).isEqualTo(INPUTS);
    assertThat(stream(9).targets()).isEqualTo(TARGETS);
    assertThat(Rows.all(stream(9))).isEqualTo(Rows.all(arrays(9)));
    assertThat(Rows.all(stream(9), Order.shuffled(1), 4))
        .containsExactlyInAnyOrderElementsOf(Rows.all(arrays(9)));
    RowFunction twice =
        (in, out) -> {
          out[0] = 2 * in[0];
          out[1] = 2 * in[1];
        };
    assertThat(Rows.all(stream(9).map("a", Shape.of(2), twice)))
        .isEqualTo(Rows.all(arrays(9).map("a", Shape.of(2), twice)));
  }

  @Test
  void partsKeepAllTargetsAndTheProportionsOfTheFirstClasses() {
    IndexedDataset data = arrays(40);
    Dataset.Split split = data.split(0.2, 7);
    assertThat(split.validation().size()).isEqualTo(8);
    assertThat(Rows.all(split.validation())).filteredOn(row -> row.get(4) == 1f).hasSize(2);
    assertThat(split.train().targets()).isEqualTo(TARGETS);
    assertThat(Rows.all(data.take(3))).isEqualTo(Rows.all(data).subList(0, 3));
    assertThat(Rows.all(data.subset(5, 2).cached())).isEqualTo(Rows.all(data.subset(5, 2)));
    Dataset.Split streams = stream(200).split(0.5, 1);
    assertThat(Rows.all(streams.train())).hasSizeBetween(60, 140);
    assertThat(Rows.all(streams.train()))
        .doesNotContainAnyElementsOf(Rows.all(streams.validation()));
  }

  @Test
  void whoExpectsOneTargetIsToldThatThereAreSeveral() {
    assertThatThrownBy(() -> arrays(2).target())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("3 targets [kind, place, tags] where one is expected")
        .hasMessageContaining("targets()");
    assertThatThrownBy(() -> stream(2).target()).hasMessageContaining("3 targets");
    assertThatThrownBy(() -> arrays(2).classNames()).hasMessageContaining("classNames(i)");
    assertThatThrownBy(() -> arrays(2).labels()).hasMessageContaining("3 targets");
    assertThatThrownBy(() -> ClassWeights.balanced(arrays(2))).hasMessageContaining("3 targets");
  }

  @Test
  void arraysThatDoNotFitTogetherAreRefused() {
    ArrayData data = Datasets.arrays().input("a", new float[6], 2).target("y", new int[3]);
    assertThatThrownBy(() -> data.target("z", new float[4]))
        .isInstanceOf(CremaException.class)
        .hasMessage("'a' has 3 examples but 'z' has 4");
    assertThatThrownBy(() -> data.target("a", new float[3]))
        .hasMessage("Two blocks of this dataset are named 'a'");
    assertThatThrownBy(() -> data.input("b", new float[7], 2))
        .hasMessageContaining("7 numbers are not a whole number of examples of shape [2]");
    assertThatThrownBy(() -> data.target("k", new int[] {0, -1, 1}, List.of("x", "y")))
        .hasMessage("Target 'k' has class -1 at 1; with 2 classes, 0 to 1 are possible");
    assertThatThrownBy(() -> Datasets.arrays().target("y", new int[1]).build())
        .hasMessageContaining("at least one input");
    assertThatThrownBy(
            () -> Datasets.streamOfSeveral(INPUTS, TARGETS, List.of(List.of()), List.of()))
        .hasMessageContaining("3 targets but class names of 1");
  }

  private static void requireRefused(String message, List<float[]> inputs, List<float[]> targets) {
    Dataset one =
        Datasets.streamOfSeveral(INPUTS, TARGETS, NAMES, List.of(Example.of(inputs, targets)));
    assertThatThrownBy(() -> Rows.all(one))
        .isInstanceOf(CremaException.class)
        .hasMessageStartingWith("Example 0 ")
        .hasMessageContaining(message);
  }

  @Test
  void examplesThatDoNotFitTheStreamAreRefused() {
    float[] two = {1, 2};
    float[] zero = {0};
    float[] three = {1, 2, 3};
    requireRefused("expected 3 targets, got 1", List.of(two, two), List.of(zero));
    requireRefused(
        "expected 3 numbers in place, got 2", List.of(two, two), List.of(zero, two, two));
    requireRefused(
        "class 2 in kind; there are 2", List.of(two, two), List.of(new float[] {2}, three, two));
    requireRefused(
        "whole numbers up to 2^24 in ids (int32), got 0.5",
        List.of(two, new float[] {0, 0.5f}),
        List.of(zero, three, two));
    Dataset single =
        Datasets.stream(
            INPUTS.subList(0, 1),
            TARGETS.get(0),
            List.of("0"),
            List.of(Example.of(List.of(two), List.of(zero))));
    assertThatThrownBy(() -> Rows.all(single))
        .hasMessageContaining("expected 0 lists of several targets, got 1");
  }
}
