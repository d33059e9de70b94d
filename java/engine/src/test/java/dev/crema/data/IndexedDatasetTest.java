package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class IndexedDatasetTest {
  private static IndexedDataset numbered(int n, int classes) {
    float[][] x = new float[n][];
    int[] y = new int[n];
    for (int i = 0; i < n; i++) {
      x[i] = new float[] {i, -i};
      y[i] = i % classes;
    }
    return Datasets.of(x, y);
  }

  @Test
  void describesItsSlotsAndClasses() {
    IndexedDataset data = numbered(5, 3);
    assertThat(data.size()).isEqualTo(5);
    assertThat(data.inputs())
        .containsExactly(new Dataset.Slot("x", ElementType.FLOAT32, Shape.of(2)));
    assertThat(data.target()).isEqualTo(new Dataset.Slot("y", ElementType.INT32, Shape.of()));
    assertThat(data.classNames()).containsExactly("0", "1", "2");
  }

  @Property(tries = 60, shrinking = ShrinkingMode.OFF)
  void readsEveryExampleOnceWhateverTheBatchSize(
      @ForAll @IntRange(min = 0, max = 50) int n,
      @ForAll @IntRange(min = 1, max = 20) int capacity,
      @ForAll long seed) {
    IndexedDataset data = numbered(n, 4);
    List<List<Float>> inOrder = Rows.all(data, Order.sequential(), capacity);
    assertThat(inOrder).hasSize(n);
    for (int i = 0; i < n; i++) {
      assertThat(inOrder.get(i)).containsExactly((float) i, (float) -i, (float) (i % 4));
    }
    List<List<Float>> shuffled = Rows.all(data, Order.shuffled(seed), capacity);
    assertThat(shuffled).containsExactlyInAnyOrderElementsOf(inOrder);
    assertThat(Rows.all(data, Order.shuffled(seed), 50)).isEqualTo(shuffled);
  }

  @Test
  void anotherSeedGivesAnotherOrder() {
    IndexedDataset data = numbered(100, 4);
    assertThat(Rows.all(data, Order.shuffled(1), 9))
        .isNotEqualTo(Rows.all(data, Order.shuffled(2), 9))
        .isNotEqualTo(Rows.all(data));
  }

  @Test
  void everyPlaceIsEquallyLikelyForAnExample() {
    int[] firsts = new int[5];
    for (int seed = 0; seed < 5_000; seed++) {
      int[] order = {0, 1, 2, 3, 4};
      new Mix(seed).shuffle(order);
      firsts[order[0]]++;
    }
    for (int count : firsts) {
      assertThat(count).isBetween(880, 1120);
    }
  }

  @Test
  void leavesPositionsLimitsAndFurtherRowsAlone() {
    List<ByteBuffer> buffers = Rows.buffers(numbered(3, 2), 5);
    buffers.get(0).putFloat(4 * 2 * 3, 42f).position(8).limit(12);
    try (Dataset.Reader reader = numbered(3, 2).reader(Order.sequential())) {
      assertThat(reader.read(buffers, 5)).isEqualTo(3);
      assertThat(reader.read(buffers, 5)).isZero();
    }
    assertThat(buffers.get(0).position()).isEqualTo(8);
    assertThat(buffers.get(0).limit()).isEqualTo(12);
    assertThat(buffers.get(0).clear().getFloat(4 * 2 * 3)).isEqualTo(42f);
    assertThat(buffers.get(0).getFloat(4 * 2 * 2)).isEqualTo(2f);
  }

  @Test
  void theTargetsBufferMayBeLeftOut() {
    IndexedDataset data = numbered(3, 2);
    List<ByteBuffer> x = Rows.buffers(data, 3).subList(0, 1);
    try (Dataset.Reader reader = data.reader(Order.sequential())) {
      assertThat(reader.read(x, 3)).isEqualTo(3);
    }
    assertThat(x.get(0).getFloat(4 * 4)).isEqualTo(2f);
  }

  @Test
  void refusesBuffersThatWouldNotDo() {
    IndexedDataset data = numbered(3, 2);
    ByteBuffer labels = Buffers.direct(12);
    try (Dataset.Reader reader = data.reader(Order.sequential())) {
      assertThatThrownBy(() -> reader.read(List.of(ByteBuffer.allocate(24), labels), 3))
          .hasMessageContaining("must be direct");
      ByteOrder foreign =
          ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN
              ? ByteOrder.LITTLE_ENDIAN
              : ByteOrder.BIG_ENDIAN;
      ByteBuffer swapped = ByteBuffer.allocateDirect(24).order(foreign);
      assertThatThrownBy(() -> reader.read(List.of(swapped, labels), 3))
          .hasMessageContaining("native byte order");
      assertThatThrownBy(() -> reader.read(List.of(Buffers.direct(23), labels), 3))
          .hasMessageContaining("need 24");
      assertThatThrownBy(() -> reader.read(List.of(), 3)).hasMessageContaining("2 with the target");
    }
  }

  @Test
  void aClosedReaderRefusesToRead() {
    IndexedDataset data = numbered(3, 2);
    Dataset.Reader reader = data.reader(Order.sequential());
    reader.close();
    reader.close();
    assertThatThrownBy(() -> reader.read(Rows.buffers(data, 1), 1))
        .isInstanceOf(IllegalStateException.class);
  }

  @Property(tries = 60, shrinking = ShrinkingMode.OFF)
  void aSplitIsDisjointCompleteAndStratified(
      @ForAll @IntRange(min = 20, max = 200) int n,
      @ForAll @IntRange(min = 1, max = 9) int tenths,
      @ForAll long seed) {
    IndexedDataset data = numbered(n, 2);
    Dataset.Split split = data.split(tenths / 10.0, seed);
    HashSet<List<Float>> all = new HashSet<>(Rows.all(split.train()));
    all.addAll(Rows.all(split.validation()));
    assertThat(all).hasSize(n);
    assertThat(split.train().size() + split.validation().size()).isEqualTo(n);
    for (float label = 0; label < 2; label++) {
      float wanted = label;
      long inClass = Rows.last(data).stream().filter(l -> l == wanted).count();
      long chosen = Rows.last(split.validation()).stream().filter(l -> l == wanted).count();
      assertThat(chosen).isEqualTo(Math.round(inClass * (tenths / 10.0)));
    }
    assertThat(Rows.all(data.split(tenths / 10.0, seed).validation()))
        .isEqualTo(Rows.all(split.validation()));
  }

  @Test
  void aRareClassStaysInTrainingAndIsValidatedIfItCan() {
    int[] y = new int[102];
    y[40] = 1;
    y[50] = 2;
    y[60] = 2;
    Dataset.Split split = Datasets.of(new float[102][1], y).split(0.1, 3);
    assertThat(Rows.last(split.train())).contains(1f, 2f);
    assertThat(Rows.last(split.validation())).contains(2f).doesNotContain(1f);
  }

  @Test
  void takesSubsetsAndRefusesWhatIsNotThere() {
    IndexedDataset data = numbered(10, 5);
    assertThat(Rows.last(data.subset(7, 3, 3))).containsExactly(2f, 3f, 3f);
    assertThat(Rows.last(data.subset(7, 3, 4).take(2))).containsExactly(2f, 3f);
    assertThat(data.subset(7, 3, 4).labels()).containsExactly(2, 3, 4);
    assertThat(data.take(99).size()).isEqualTo(10);
    assertThatThrownBy(() -> data.subset(10)).isInstanceOf(CremaException.class);
    assertThatThrownBy(() -> data.split(1.5, 0)).hasMessageContaining("between 0 and 1");
  }

  @Test
  void mapsAnInputLazilyOrOnce() {
    RowFunction sum = (in, out) -> out[0] = in[0] + in[1] + 0.5f * in[0];
    IndexedDataset mapped = numbered(4, 2).subset(3, 2).map("x", Shape.of(1), sum);
    assertThat(Rows.all(mapped)).containsExactly(List.of(1.5f, 1f), List.of(1f, 0f));
    assertThat(Rows.all(mapped.cached())).isEqualTo(Rows.all(mapped));
    assertThat(mapped.cached().labels()).containsExactly(1, 0);
    assertThatThrownBy(() -> mapped.map("z", Shape.of(1), sum))
        .hasMessage("There is no input named z; there are [x]");
  }

  @Test
  void regressionHasRowsOfNumbersAsTargets() {
    IndexedDataset data =
        Datasets.regression(new float[][] {{1}, {2}}, new float[][] {{10, 11}, {20, 21}});
    assertThat(data.target()).isEqualTo(new Dataset.Slot("y", ElementType.FLOAT32, Shape.of(2)));
    assertThat(data.classNames()).isEmpty();
    assertThat(Rows.all(data.cached()))
        .containsExactly(List.of(1f, 10f, 11f), List.of(2f, 20f, 21f));
    assertThatThrownBy(data::labels).hasMessageContaining("no classes");
  }

  @Test
  void flatArraysHaveAnyShape() {
    IndexedDataset data =
        Datasets.of(new float[] {1, 2, 3, 4}, Shape.of(1, 2), new int[] {1, 0}, List.of("a", "b"));
    assertThat(Rows.all(data)).containsExactly(List.of(1f, 2f, 1f), List.of(3f, 4f, 0f));
    assertThat(Rows.all(Datasets.unlabelled(new float[] {1, 2}, Shape.of(1))))
        .containsExactly(List.of(1f), List.of(2f));
  }

  @Test
  void refusesArraysThatDoNotFit() {
    float[][] x = {{1, 2}, {3}};
    assertThatThrownBy(() -> Datasets.of(x, new int[] {0, 1})).hasMessageContaining("Example 1");
    float[][] two = {{1}, {2}};
    assertThatThrownBy(() -> Datasets.of(two, new int[] {0}))
        .hasMessage("There are 2 examples but 1 targets");
    assertThatThrownBy(() -> Datasets.of(two, new int[] {0, 2}, List.of("a", "b")))
        .hasMessageContaining("Example 1 has class 2; with 2 classes, 0 to 1");
    assertThatThrownBy(() -> Datasets.of(two, new int[] {0, -1})).hasMessageContaining("class -1");
    assertThatThrownBy(() -> Datasets.of(two, new int[] {0, Integer.MAX_VALUE}))
        .hasMessageContaining("regression");
    assertThatThrownBy(() -> Datasets.unlabelled(new float[] {1, 2, 3}, Shape.of(2)))
        .hasMessageContaining("whole number");
  }
}
