package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Puts arrays together to a dataset with several inputs or several targets. Blocks named as inputs
 * and outputs of a model belong to those; others belong to them in their order.
 *
 * <pre>{@code
 * IndexedDataset data = Datasets.arrays()
 *     .input("image", pixels, 28, 28, 1)
 *     .target("digit", classes)
 *     .target("angle", angles)
 *     .build();
 * }</pre>
 *
 * Arrays are shared, not copied.
 */
public final class ArrayData {
  private final List<Dataset.Slot> inputs = new ArrayList<>();
  private final List<Dataset.Slot> targets = new ArrayList<>();
  private final List<List<String>> classNames = new ArrayList<>();
  private final List<Block> inputBlocks = new ArrayList<>();
  private final List<Block> targetBlocks = new ArrayList<>();
  private final Set<String> names = new HashSet<>();
  private String first;
  private int size;

  ArrayData() {}

  /**
   * An input of numbers.
   *
   * @param values the examples one after the other, row-major
   * @param shape of one example; none: a number each
   */
  public ArrayData input(String name, float[] values, long... shape) {
    return input(
        floats(name, shape), Datasets.flat(values, Shape.of(shape)), count(values.length, shape));
  }

  /** An input of numbers, [n][features]. */
  public ArrayData input(String name, float[][] rows) {
    Dataset.Slot slot = floats(name, Datasets.width(rows));
    return input(slot, Datasets.rows(rows, name), rows.length);
  }

  /**
   * An input of whole numbers, such as those of tokens; as {@link #input(String, float[],
   * long...)}.
   */
  public ArrayData input(String name, int[] values, long... shape) {
    Dataset.Slot slot = new Dataset.Slot(name, ElementType.INT32, Shape.of(shape));
    return input(slot, new Block.Labels(values, slot.width()), count(values.length, shape));
  }

  /**
   * A target of class numbers from 0; the classes are named "0", "1", ….
   *
   * @param shape of one example's classes; none: one class each
   */
  public ArrayData target(String name, int[] classes, long... shape) {
    return target(name, classes, Datasets.numbered(classes), shape);
  }

  /** A target of class numbers with class names. */
  public ArrayData target(String name, int[] classes, List<String> classNames, long... shape) {
    for (int i = 0; i < classes.length; i++) {
      if (classes[i] < 0 || classes[i] >= classNames.size()) {
        throw new CremaException(
            "Target '"
                + name
                + "' has class "
                + classes[i]
                + " at "
                + i
                + "; with "
                + classNames.size()
                + " classes, 0 to "
                + (classNames.size() - 1)
                + " are possible");
      }
    }
    Dataset.Slot slot = new Dataset.Slot(name, ElementType.INT32, Shape.of(shape));
    return target(
        slot, new Block.Labels(classes, slot.width()), count(classes.length, shape), classNames);
  }

  /**
   * A target of numbers.
   *
   * @param values the examples' numbers one after the other, row-major
   * @param shape of one example's numbers; none: a number each
   */
  public ArrayData target(String name, float[] values, long... shape) {
    Block block = Datasets.flat(values, Shape.of(shape));
    return target(floats(name, shape), block, count(values.length, shape), List.of());
  }

  /** A target of numbers, [n][k]. */
  public ArrayData target(String name, float[][] rows) {
    Dataset.Slot slot = floats(name, Datasets.width(rows));
    return target(slot, Datasets.rows(rows, name), rows.length, List.of());
  }

  /**
   * The dataset; the arrays so far are shared with it.
   *
   * @throws CremaException if there is no input
   */
  public IndexedDataset build() {
    if (inputs.isEmpty()) {
      throw new CremaException("A dataset has at least one input: call input(name, values, …)");
    }
    List<Block> blocks = new ArrayList<>(inputBlocks);
    blocks.addAll(targetBlocks);
    return IndexedDataset.of(
        inputs, TargetSlots.of(targets, classNames), blocks, size, new BadRows(false));
  }

  private static Dataset.Slot floats(String name, long... shape) {
    return new Dataset.Slot(name, ElementType.FLOAT32, Shape.of(shape));
  }

  private ArrayData input(Dataset.Slot slot, Block block, int n) {
    add(slot, n);
    inputs.add(slot);
    inputBlocks.add(block);
    return this;
  }

  private ArrayData target(Dataset.Slot slot, Block block, int n, List<String> classes) {
    add(slot, n);
    targets.add(slot);
    targetBlocks.add(block);
    classNames.add(classes);
    return this;
  }

  private static int count(int numbers, long... shape) {
    return numbers == 0 ? 0 : Datasets.count(numbers, Shape.of(shape));
  }

  private void add(Dataset.Slot slot, int n) {
    if (first != null && n != size) {
      throw new CremaException(
          "'" + first + "' has " + size + " examples but '" + slot.name() + "' has " + n);
    }
    if (!names.add(slot.name())) {
      throw new CremaException("Two blocks of this dataset are named '" + slot.name() + "'");
    }
    first = first == null ? slot.name() : first;
    size = n;
  }
}
