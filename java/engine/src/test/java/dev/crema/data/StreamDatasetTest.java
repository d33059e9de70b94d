package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.memory.Shape;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class StreamDatasetTest {
  private static final List<Dataset.Slot> INPUTS = List.of(Slots.input(Shape.of(2)));
  private static final List<String> NAMES = List.of("even", "odd");

  private static Iterator<Example> examples(int n) {
    return IntStream.range(0, n)
        .mapToObj(i -> Example.classified(new float[] {i, 2 * i}, i % 2))
        .iterator();
  }

  private static Dataset stream(int n) {
    return Datasets.stream(INPUTS, Slots.classTarget(), NAMES, () -> examples(n));
  }

  @Property(tries = 40, shrinking = ShrinkingMode.OFF)
  void givesEveryExampleOnceInAnyOrder(
      @ForAll @IntRange(min = 0, max = 300) int n,
      @ForAll @IntRange(min = 1, max = 40) int capacity,
      @ForAll long seed) {
    List<List<Float>> inOrder = Rows.all(stream(n), Order.sequential(), capacity);
    assertThat(inOrder).hasSize(n);
    List<List<Float>> shuffled = Rows.all(stream(n), Order.shuffled(seed), capacity);
    assertThat(shuffled).containsExactlyInAnyOrderElementsOf(inOrder);
    assertThat(Rows.all(stream(n), Order.shuffled(seed), 41)).isEqualTo(shuffled);
  }

  @Test
  void shufflesWithinABoundedWindow() {
    Dataset data =
        StreamDataset.of(
            INPUTS,
            Slots.classTarget(),
            NAMES,
            () ->
                new ExampleSource(
                    examples(1000), INPUTS, TargetSlots.of(Slots.classTarget(), NAMES)),
            -1,
            List.of(),
            10,
            new BadRows(false));
    List<List<Float>> rows = Rows.all(data, Order.shuffled(5), 16);
    assertThat(rows).isNotEqualTo(Rows.all(data)).hasSize(1000);
    for (int i = 0; i < 1000; i++) {
      assertThat(rows.get(i).get(0)).isLessThanOrEqualTo(i + 10);
    }
  }

  @Test
  void anEndlessStreamIsReadNoFurtherThanItsWindow() {
    Iterable<Example> endless =
        () ->
            IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> Example.classified(new float[] {i, 0}, 0))
                .iterator();
    Dataset data = Datasets.stream(INPUTS, Slots.classTarget(), NAMES, endless);
    var buffers = Rows.buffers(data, 8);
    try (Dataset.Reader reader = data.reader(Order.shuffled(1))) {
      assertThat(reader.read(buffers, 8)).isEqualTo(8);
    }
    assertThat(Rows.all(data.take(20))).hasSize(20);
  }

  @Test
  void splitsByAHashThatStaysTheSame() {
    Dataset.Split split = stream(2000).split(0.25, 9);
    List<List<Float>> validation = Rows.all(split.validation());
    assertThat(validation.size()).isBetween(400, 600);
    HashSet<List<Float>> all = new HashSet<>(Rows.all(split.train()));
    all.addAll(validation);
    assertThat(all).hasSize(2000);
    assertThat(Rows.all(split.validation(), Order.shuffled(3), 9))
        .containsExactlyInAnyOrderElementsOf(validation);
    assertThat(Rows.all(stream(2000).split(0.25, 10).validation())).isNotEqualTo(validation);
  }

  @Test
  void splitsOfSplitsAreIndependent() {
    Dataset.Split outer = stream(4000).split(0.5, 1);
    Dataset.Split inner = outer.train().split(0.5, 1);
    long train = Rows.all(inner.train()).size();
    long validation = Rows.all(inner.validation()).size();
    assertThat(train + validation).isEqualTo(Rows.all(outer.train()).size());
    Dataset.Split other = outer.train().split(0.5, 2);
    assertThat(Rows.all(other.validation()).size()).isBetween(850, 1150);
  }

  @Test
  void mapsRows() {
    Dataset mapped = stream(3).map("x", Shape.of(1), (in, out) -> out[0] = in[0] + in[1]);
    assertThat(Rows.all(mapped)).containsExactly(List.of(0f, 0f), List.of(3f, 1f), List.of(6f, 0f));
    assertThat(mapped.inputs().get(0).shape()).isEqualTo(Shape.of(1));
  }

  @Test
  void anIteratorCanBeReadOnce() {
    Dataset data = Datasets.stream(INPUTS, Slots.classTarget(), NAMES, examples(3));
    assertThat(data.size()).isEqualTo(-1);
    assertThat(Rows.all(data)).hasSize(3);
    assertThatThrownBy(() -> Rows.all(data)).hasMessageContaining("Pass an Iterable");
  }

  @Test
  void namesTheExampleThatDoesNotFit() {
    Iterable<Example> wide =
        () ->
            List.of(Example.classified(new float[2], 0), Example.classified(new float[3], 0))
                .iterator();
    assertThatThrownBy(() -> Rows.all(Datasets.stream(INPUTS, Slots.classTarget(), NAMES, wide)))
        .hasMessage("Example 1 of the stream: expected 2 numbers in x, got 3");
    Iterable<Example> third = () -> List.of(Example.classified(new float[2], 2)).iterator();
    assertThatThrownBy(() -> Rows.all(Datasets.stream(INPUTS, Slots.classTarget(), NAMES, third)))
        .hasMessageContaining("has class 2; there are 2");
  }

  @Test
  void targetsMayBeNumbersOrMissing() {
    Iterable<Example> valued = () -> List.of(Example.valued(new float[] {1, 2}, 3, 4)).iterator();
    assertThat(Rows.all(Datasets.stream(INPUTS, Slots.valueTarget(2), List.of(), valued)))
        .containsExactly(List.of(1f, 2f, 3f, 4f));
    Iterable<Example> bare = () -> List.of(Example.unlabelled(new float[] {1, 2})).iterator();
    assertThat(Rows.all(Datasets.stream(INPUTS, null, List.of(), bare)))
        .containsExactly(List.of(1f, 2f));
  }
}
