package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A dataset whose examples have numbers: arrays in memory, or files that are decoded when their
 * turn comes. Splits and subsets share the data and cost one int an example; shuffling is a uniform
 * permutation.
 */
public final class IndexedDataset implements Dataset {
  private final List<Slot> inputs;
  private final Slot target;
  private final List<String> classNames;
  private final List<Block> blocks;
  private final int[] rows;
  private final BadRows badRows;

  private IndexedDataset(
      List<Slot> inputs,
      Slot target,
      List<String> classNames,
      List<Block> blocks,
      int[] rows,
      BadRows badRows) {
    this.inputs = List.copyOf(inputs);
    this.target = target;
    this.classNames = List.copyOf(classNames);
    this.blocks = List.copyOf(blocks);
    this.rows = rows;
    this.badRows = badRows;
  }

  /**
   * All {@code size} rows of some blocks.
   *
   * @param blocks one for each input, then the target's if there is one
   */
  static IndexedDataset of(
      List<Slot> inputs,
      Slot target,
      List<String> classNames,
      List<Block> blocks,
      int size,
      BadRows badRows) {
    int[] rows = new int[size];
    Arrays.setAll(rows, i -> i);
    return new IndexedDataset(inputs, target, classNames, blocks, rows, badRows);
  }

  @Override
  public List<Slot> inputs() {
    return inputs;
  }

  @Override
  public Slot target() {
    return target;
  }

  @Override
  public List<String> classNames() {
    return classNames;
  }

  @Override
  public long size() {
    return rows.length;
  }

  @Override
  public long badRows() {
    return badRows.count();
  }

  @Override
  public Reader reader(Order order) {
    int[] ordered = rows;
    if (order.shuffled()) {
      ordered = rows.clone();
      new Mix(order.seed()).shuffle(ordered);
    }
    return new IndexedReader(this, ordered);
  }

  @Override
  public Split split(double fraction, long seed) {
    int[] classes = isClassification() ? labels() : new int[rows.length];
    BitSet validation = Stratified.validation(classes, fraction, seed);
    return new Split(
        subset(IntStream.range(0, rows.length).filter(i -> !validation.get(i)).toArray()),
        subset(validation.stream().toArray()));
  }

  @Override
  public IndexedDataset take(long n) {
    if (n < 0) {
      throw new IllegalArgumentException("take(" + n + "): the number of examples is at least 0");
    }
    return withRows(Arrays.copyOf(rows, (int) Math.min(n, rows.length)));
  }

  /** The examples of those numbers, in that order; a number may come twice. */
  public IndexedDataset subset(int... indices) {
    int[] chosen = new int[indices.length];
    for (int i = 0; i < indices.length; i++) {
      if (indices[i] < 0 || indices[i] >= rows.length) {
        throw new CremaException(
            "Example " + indices[i] + " is not one of this dataset's " + rows.length);
      }
      chosen[i] = rows[indices[i]];
    }
    return withRows(chosen);
  }

  @Override
  public IndexedDataset map(String input, Shape shape, RowFunction function) {
    int i = Slots.floatInput(inputs, input);
    Slot before = inputs.get(i);
    Slot after = new Slot(input, ElementType.FLOAT32, shape);
    List<Slot> slots = new ArrayList<>(inputs);
    slots.set(i, after);
    List<Block> changed = new ArrayList<>(blocks);
    changed.set(i, new Block.Mapped(blocks.get(i), before.width(), after.width(), function));
    return new IndexedDataset(slots, target, classNames, changed, rows, badRows);
  }

  /**
   * This dataset with its inputs read and mapped once and kept as floats on the heap; a bad example
   * is an error.
   */
  public IndexedDataset cached() {
    List<Block> read = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      read.add(i < inputs.size() ? read(inputs.get(i), blocks.get(i)) : pick(blocks.get(i)));
    }
    return of(inputs, target, classNames, read, rows.length, badRows);
  }

  /** The class number of each example; a copy. */
  public int[] labels() {
    if (!isClassification()) {
      throw new CremaException("This dataset has no classes: its target is " + target);
    }
    return ((Block.Labels) pick(blocks.get(blocks.size() - 1))).values();
  }

  boolean isClassification() {
    return target != null && target.type() == ElementType.INT32;
  }

  /** The same examples, their classes named otherwise. */
  IndexedDataset withClassNames(List<String> names) {
    return new IndexedDataset(inputs, target, names, blocks, rows, badRows);
  }

  /** Whether the input lies in memory as bytes. */
  boolean hasPixels() {
    return blocks.get(0) instanceof Block.Pixels;
  }

  BadRows bad() {
    return badRows;
  }

  List<Block.Cursor> cursors() {
    return blocks.stream().map(Block::open).toList();
  }

  private IndexedDataset withRows(int[] chosen) {
    return new IndexedDataset(inputs, target, classNames, blocks, chosen, badRows);
  }

  private Block read(Slot slot, Block block) {
    int width = slot.width();
    Buffers.requireHeap(4L * width * rows.length, "Keeping " + slot.name() + " in memory");
    float[] values = new float[width * rows.length];
    ByteBuffer one = Buffers.direct(slot.rowBytes());
    FloatViews views = new FloatViews();
    Block.Cursor cursor = block.open();
    for (int i = 0; i < rows.length; i++) {
      cursor.copy(rows[i], one, 0);
      views.of(one).get(0, values, i * width, width);
    }
    return new Block.Floats(values, width);
  }

  private Block pick(Block block) {
    if (block instanceof Block.Labels labels) {
      return new Block.Labels(Arrays.stream(rows).map(i -> labels.values()[i]).toArray());
    }
    return read(target, block);
  }
}
