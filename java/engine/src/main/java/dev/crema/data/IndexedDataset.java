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
  private final TargetSlots targets;
  private final List<Block> blocks;
  private final int[] rows;
  private final BadRows badRows;

  private IndexedDataset(
      List<Slot> inputs, TargetSlots targets, List<Block> blocks, int[] rows, BadRows badRows) {
    this.inputs = List.copyOf(inputs);
    this.targets = targets;
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
    return of(inputs, TargetSlots.of(target, classNames), blocks, size, badRows);
  }

  /** As above, of any number of targets, whose blocks come last. */
  static IndexedDataset of(
      List<Slot> inputs, TargetSlots targets, List<Block> blocks, int size, BadRows badRows) {
    int[] rows = new int[size];
    Arrays.setAll(rows, i -> i);
    return new IndexedDataset(inputs, targets, blocks, rows, badRows);
  }

  @Override
  public List<Slot> inputs() {
    return inputs;
  }

  @Override
  public Slot target() {
    return targets.only();
  }

  @Override
  public List<Slot> targets() {
    return targets.slots();
  }

  @Override
  public List<String> classNames() {
    return targets.onlyClassNames();
  }

  @Override
  public List<String> classNames(int target) {
    return targets.classNames().get(target);
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
    BitSet validation = Stratified.validation(strata(), fraction, seed);
    return new Split(
        subset(IntStream.range(0, rows.length).filter(i -> !validation.get(i)).toArray()),
        subset(validation.stream().toArray()));
  }

  /** The classes whose proportions a split keeps: those of the first target that has classes. */
  private int[] strata() {
    for (int i = 0; i < targets.slots().size(); i++) {
      if (isClass(i)) {
        return labels(i);
      }
    }
    return new int[rows.length];
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
    return new IndexedDataset(slots, targets, changed, rows, badRows);
  }

  /**
   * This dataset with its inputs read and mapped once and kept as floats on the heap; a bad example
   * is an error.
   */
  public IndexedDataset cached() {
    List<Block> read = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      int target = i - inputs.size();
      Slot slot = target < 0 ? inputs.get(i) : targets.slots().get(target);
      boolean numbers = slot.type() == ElementType.INT32;
      read.add(numbers ? pick((Block.Labels) blocks.get(i)) : read(slot, blocks.get(i)));
    }
    return of(inputs, targets, read, rows.length, badRows);
  }

  /**
   * The class number of each example; a copy.
   *
   * @throws CremaException if the one target is no class
   */
  public int[] labels() {
    if (target() == null || !isClass(0)) {
      throw new CremaException("This dataset has no classes: its target is " + target());
    }
    return labels(0);
  }

  private int[] labels(int target) {
    return pick((Block.Labels) blocks.get(inputs.size() + target)).values();
  }

  private boolean isClass(int target) {
    return targets.hasClasses(target) && targets.slots().get(target).width() == 1;
  }

  /** The same examples, their classes named otherwise. */
  IndexedDataset withClassNames(List<String> names) {
    TargetSlots renamed = TargetSlots.of(target(), names);
    return new IndexedDataset(inputs, renamed, blocks, rows, badRows);
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
    return new IndexedDataset(inputs, targets, blocks, chosen, badRows);
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

  private Block.Labels pick(Block.Labels labels) {
    int width = labels.width();
    int[] picked = new int[rows.length * width];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(labels.values(), rows[i] * width, picked, i * width, width);
    }
    return new Block.Labels(picked, width);
  }
}
