package dev.crema.data;

import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * A dataset that is read from its source in every epoch, with memory for no more than the shuffle
 * window. Splits go by a hash of the example, so an example is always in the same part.
 */
final class StreamDataset implements Dataset {
  /** Rows of the shuffle window, unless that takes more than {@link #WINDOW_BYTES}. */
  static final int WINDOW_ROWS = 16_384;

  private static final long WINDOW_BYTES = 64L << 20;

  /** A part of a split: the examples whose hash, with that seed, lies in [from, to). */
  record Part(long seed, double from, double to) {
    boolean contains(long hash) {
      double u = Mix.unit(hash, seed);
      return u >= from && u < to;
    }
  }

  private final List<Slot> inputs;
  private final TargetSlots targets;
  private final Supplier<RowSource> source;
  private final long size;
  private final long limit;
  private final List<Part> parts;
  private final int window;
  private final BadRows badRows;

  private StreamDataset(
      List<Slot> inputs,
      TargetSlots targets,
      Supplier<RowSource> source,
      long size,
      long limit,
      List<Part> parts,
      int window,
      BadRows badRows) {
    this.inputs = List.copyOf(inputs);
    this.targets = targets;
    this.source = source;
    this.size = size;
    this.limit = limit;
    this.parts = List.copyOf(parts);
    this.window = window;
    this.badRows = badRows;
  }

  /**
   * @param size examples that all of the parts together let through, or -1
   * @param window most examples in the shuffle window; bounded by memory too
   */
  static StreamDataset of(
      List<Slot> inputs,
      Slot target,
      List<String> classNames,
      Supplier<RowSource> source,
      long size,
      List<Part> parts,
      int window,
      BadRows badRows) {
    return of(inputs, TargetSlots.of(target, classNames), source, size, parts, window, badRows);
  }

  /** As above, of any number of targets. */
  static StreamDataset of(
      List<Slot> inputs,
      TargetSlots targets,
      Supplier<RowSource> source,
      long size,
      List<Part> parts,
      int window,
      BadRows badRows) {
    return new StreamDataset(inputs, targets, source, size, Long.MAX_VALUE, parts, window, badRows);
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
    return size < 0 ? -1 : Math.min(size, limit);
  }

  @Override
  public long badRows() {
    return badRows.count();
  }

  @Override
  public Reader reader(Order order) {
    return new StreamReader(this, source.get(), order);
  }

  @Override
  public Split split(double fraction, long seed) {
    Stratified.checkFraction(fraction);
    if (limit != Long.MAX_VALUE) {
      throw new IllegalStateException("Split a stream before take(n), not after it");
    }
    return new Split(part(new Part(seed, fraction, 1)), part(new Part(seed, 0, fraction)));
  }

  @Override
  public Dataset take(long n) {
    if (n < 0) {
      throw new IllegalArgumentException("take(" + n + "): the number of examples is at least 0");
    }
    return new StreamDataset(
        inputs, targets, source, size, Math.min(limit, n), parts, window, badRows);
  }

  @Override
  public Dataset map(String input, Shape shape, RowFunction function) {
    int i = Slots.floatInput(inputs, input);
    List<Slot> slots = new ArrayList<>(inputs);
    slots.set(i, new Slot(input, ElementType.FLOAT32, shape));
    Supplier<RowSource> mapped = () -> new Mapped(source.get(), newRow(), i, function);
    return new StreamDataset(slots, targets, mapped, size, limit, parts, window, badRows);
  }

  RowSource.Row newRow() {
    return new RowSource.Row(inputs, targets.slots());
  }

  boolean contains(long hash) {
    for (Part part : parts) {
      if (!part.contains(hash)) {
        return false;
      }
    }
    return true;
  }

  long limit() {
    return limit;
  }

  /** Rows of the shuffle window. */
  int window() {
    long rowBytes = 0;
    for (Slot slot : inputs) {
      rowBytes += slot.rowBytes();
    }
    for (Slot slot : targets.slots()) {
      rowBytes += slot.rowBytes();
    }
    long fitting = WINDOW_BYTES / Math.max(1, rowBytes);
    return (int) Math.max(1, Math.min(Math.min(window, fitting), size < 0 ? window : size));
  }

  private StreamDataset part(Part part) {
    List<Part> narrower = new ArrayList<>(parts);
    narrower.add(part);
    return new StreamDataset(inputs, targets, source, -1, limit, narrower, window, badRows);
  }

  private record Mapped(RowSource source, Row before, int input, RowFunction function)
      implements RowSource {
    @Override
    public boolean next(Row row) {
      if (!source.next(before)) {
        return false;
      }
      for (int i = 0; i < row.inputs.length; i++) {
        if (i == input) {
          function.apply(before.inputs[i], row.inputs[i]);
        } else {
          System.arraycopy(before.inputs[i], 0, row.inputs[i], 0, row.inputs[i].length);
        }
      }
      row.copyTargets(before);
      return true;
    }

    @Override
    public void close() {
      source.close();
    }
  }
}
