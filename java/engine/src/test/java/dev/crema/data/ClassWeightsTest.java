package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.memory.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClassWeightsTest {
  @Test
  void balancedWeightsAreThoseOfScikitLearn() {
    // compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1]) gives 0.6667 and 2.
    assertThat(ClassWeights.balanced(Datasets.of(new float[4][1], new int[] {0, 0, 0, 1})))
        .containsExactly(4f / 6, 2f);
  }

  @Test
  void aClassWithoutExamplesWeighsNothing() {
    assertThat(ClassWeights.balanced(new long[] {2, 0, 2})).containsExactly(1f, 0f, 1f);
  }

  @Test
  void countsStreams() {
    Dataset stream =
        Datasets.stream(
            List.of(Slots.input(Shape.of(1))),
            Slots.classTarget(),
            List.of("a", "b"),
            () ->
                java.util.stream.IntStream.range(0, 3000)
                    .mapToObj(i -> Example.classified(new float[1], i % 3 == 0 ? 1 : 0))
                    .iterator());
    assertThat(ClassWeights.counts(stream)).containsExactly(2000, 1000);
  }

  @Test
  void usersNameClassesOrAskForBalance() {
    Dataset data =
        Datasets.of(new float[4][1], new int[] {0, 0, 0, 1}, List.of("very good", "a=b"));
    assertThat(ClassWeights.parse(" Balanced", data)).containsExactly(4f / 6, 2f);
    assertThat(ClassWeights.parse("a=b=2.5", data)).containsExactly(1, 2.5f);
    assertThat(ClassWeights.parse("very good = 0, a=b=3", data)).containsExactly(0, 3);
    assertThatThrownBy(() -> ClassWeights.parse("bad=1", data))
        .hasMessage("There is no class \"bad\" to weigh; the classes are [very good, a=b]");
    assertThatThrownBy(() -> ClassWeights.parse("very good=-1", data))
        .hasMessageContaining("got \"very good=-1\"");
    assertThatThrownBy(() -> ClassWeights.parse("equal", data))
        .hasMessageContaining("CLASS=WEIGHT");
  }

  @Test
  void labelsAreBalancedByTheirAbsencesForEachPresence() {
    float[][] y = {{1, 0}, {0, 0}, {0, 0}, {1, 0}, {0, 0}};
    assertThat(ClassWeights.parse("balanced", Datasets.regression(new float[5][1], y)))
        .containsExactly(1.5f, 1);
  }

  @Test
  void regressionHasNoClasses() {
    assertThatThrownBy(
            () -> ClassWeights.balanced(Datasets.regression(new float[1][1], new float[1][1])))
        .hasMessageContaining("need classes");
  }
}
