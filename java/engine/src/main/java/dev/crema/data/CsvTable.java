package dev.crema.data;

import java.util.Arrays;
import java.util.List;

/** Encoded rows of a table that are kept in memory, growing as they come. */
final class CsvTable {
  private final int width;
  private final List<String> classNames;
  private final boolean labelled;
  private final int targets;
  private float[] x;
  private int[] labels = {};
  private float[] values = {};
  private int size;

  CsvTable(CsvSource.Plan plan, long expected) {
    this.width = plan.table().width();
    this.labelled = plan.isLabelled();
    this.targets = plan.table().targets().size();
    this.classNames = labelled ? plan.table().classNames() : List.of();
    Buffers.requireHeap(4L * width * expected, plan.file().toString());
    this.x = new float[(int) (width * expected)];
  }

  boolean hasClasses() {
    return !classNames.isEmpty();
  }

  int size() {
    return size;
  }

  void add(RowSource.Row row) {
    if ((size + 1L) * width > x.length) {
      long more = Math.max(2L * x.length, (size + 1L) * width);
      Buffers.requireHeap(4L * more, "A table of more than " + size + " rows");
      x = Arrays.copyOf(x, (int) more);
    }
    System.arraycopy(row.inputs[0], 0, x, size * width, width);
    if (hasClasses()) {
      labels = size == labels.length ? Arrays.copyOf(labels, Math.max(16, 2 * size)) : labels;
      labels[size] = row.label;
    } else if (labelled) {
      int at = size * targets;
      values = at == values.length ? Arrays.copyOf(values, Math.max(16 * targets, 2 * at)) : values;
      System.arraycopy(row.target, 0, values, at, targets);
    }
    size++;
  }

  IndexedDataset dataset(List<Dataset.Slot> inputs, Dataset.Slot target, BadRows badRows) {
    Block features = new Block.Floats(x, width);
    List<Block> blocks =
        !labelled
            ? List.of(features)
            : List.of(
                features,
                hasClasses() ? new Block.Labels(labels) : new Block.Floats(values, targets));
    return IndexedDataset.of(inputs, target, classNames, blocks, size, badRows);
  }
}
