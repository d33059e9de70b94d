package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Makes datasets of arrays, iterators and files. Arrays are shared, not copied: don't change them
 * while the dataset is in use.
 */
public final class Datasets {
  private Datasets() {}

  /**
   * Opens files to train with, and finds out what they are: a delimited text file ({@link Csv}), a
   * folder or name prefix of IDX files ({@link Mnist}), NPZ or NPY files with x and y, or an image
   * folder ({@link ImageFolder}).
   *
   * @throws CremaException if it is none of these, or can't be read
   */
  public static LoadedData open(Path path, DataOptions options) {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(options, "options");
    return DataFiles.open(path, options);
  }

  /**
   * Opens files for a model that is trained already, with the preprocessing that was saved with it.
   * The dataset has no target if the files have none. Of data with a test part, that is opened.
   *
   * @throws CremaException if they don't fit the model, or can't be read
   */
  public static Dataset open(Path path, Preprocessing preprocessing, DataOptions options) {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(preprocessing, "preprocessing");
    Objects.requireNonNull(options, "options");
    return DataFiles.open(path, preprocessing, options);
  }

  /**
   * As {@link #open(Path, Preprocessing, DataOptions)}, to predict for: what a table has in its
   * target's columns is not looked at, be it empty or unknown to the model.
   *
   * @throws CremaException if they don't fit the model, or can't be read
   */
  public static Dataset unlabelled(Path path, Preprocessing preprocessing, DataOptions options) {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(preprocessing, "preprocessing");
    Objects.requireNonNull(options, "options");
    return DataFiles.unlabelled(path, preprocessing, options);
  }

  /**
   * Classified examples; the classes are named "0", "1", ….
   *
   * @param x [n][features]
   * @param y class number of each example
   */
  public static IndexedDataset of(float[][] x, int[] y) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(y, "y");
    return of(x, y, numbered(y));
  }

  /** Classified examples with class names. */
  public static IndexedDataset of(float[][] x, int[] y, List<String> classNames) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(y, "y");
    Objects.requireNonNull(classNames, "classNames");
    Block rows = rows(x, Slots.INPUT);
    return classified(Shape.of(width(x)), rows, x.length, y, classNames);
  }

  /**
   * Classified examples of any shape.
   *
   * @param x the examples one after the other, row-major
   * @param shape of one example
   */
  public static IndexedDataset of(float[] x, Shape shape, int[] y, List<String> classNames) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(y, "y");
    Objects.requireNonNull(classNames, "classNames");
    return classified(shape, flat(x, shape), count(x, shape), y, classNames);
  }

  /**
   * Examples with numbers as targets.
   *
   * @param x [n][features]
   * @param y [n][k]
   */
  public static IndexedDataset regression(float[][] x, float[][] y) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(y, "y");
    sameCount(x.length, y.length);
    return IndexedDataset.of(
        List.of(Slots.input(Shape.of(width(x)))),
        Slots.valueTarget(width(y)),
        List.of(),
        List.of(rows(x, Slots.INPUT), rows(y, Slots.TARGET)),
        x.length,
        new BadRows(false));
  }

  /** Examples of any shape with numbers as targets, both one after the other. */
  public static IndexedDataset regression(float[] x, Shape shape, float[] y, int k) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(y, "y");
    Shape target = Shape.of(k);
    sameCount(count(x, shape), count(y, target));
    return IndexedDataset.of(
        List.of(Slots.input(shape)),
        Slots.valueTarget(k),
        List.of(),
        List.of(flat(x, shape), flat(y, target)),
        count(x, shape),
        new BadRows(false));
  }

  /** Examples of several inputs or several targets, put together from arrays. */
  public static ArrayData arrays() {
    return new ArrayData();
  }

  /** Examples without targets, for predictions. */
  public static IndexedDataset unlabelled(float[][] x) {
    Objects.requireNonNull(x, "x");
    Shape shape = Shape.of(width(x));
    return unlabelled(shape, rows(x, Slots.INPUT), x.length);
  }

  /** Examples of any shape without targets. */
  public static IndexedDataset unlabelled(float[] x, Shape shape) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(shape, "shape");
    return unlabelled(shape, flat(x, shape), count(x, shape));
  }

  /**
   * Examples that an {@code Iterable} gives anew for every reader, so they need not fit memory.
   * Shuffles within a window of 16,384 examples or 64 MB, whichever is less.
   *
   * @param target null if there is none
   * @param classNames empty if the target isn't a class
   */
  public static Dataset stream(
      List<Dataset.Slot> inputs,
      Dataset.Slot target,
      List<String> classNames,
      Iterable<Example> examples) {
    Objects.requireNonNull(inputs, "inputs");
    Objects.requireNonNull(classNames, "classNames");
    Objects.requireNonNull(examples, "examples");
    return stream(inputs, TargetSlots.of(target, classNames), examples);
  }

  /**
   * As above, with a target for each output of a model; see {@link Example#of}.
   *
   * @param classNames a list for each target, empty where it isn't a class; or no list at all
   */
  public static Dataset streamOfSeveral(
      List<Dataset.Slot> inputs,
      List<Dataset.Slot> targets,
      List<List<String>> classNames,
      Iterable<Example> examples) {
    Objects.requireNonNull(inputs, "inputs");
    Objects.requireNonNull(targets, "targets");
    Objects.requireNonNull(classNames, "classNames");
    Objects.requireNonNull(examples, "examples");
    return stream(inputs, TargetSlots.of(targets, classNames), examples);
  }

  private static Dataset stream(
      List<Dataset.Slot> inputs, TargetSlots targets, Iterable<Example> examples) {
    Supplier<RowSource> source = () -> new ExampleSource(examples.iterator(), inputs, targets);
    return StreamDataset.of(
        inputs, targets, source, -1, List.of(), StreamDataset.WINDOW_ROWS, new BadRows(false));
  }

  /** Examples of an iterator, which can be read once only: enough for one epoch. */
  public static Dataset stream(
      List<Dataset.Slot> inputs,
      Dataset.Slot target,
      List<String> classNames,
      Iterator<Example> examples) {
    Objects.requireNonNull(inputs, "inputs");
    Objects.requireNonNull(classNames, "classNames");
    Objects.requireNonNull(examples, "examples");
    AtomicBoolean taken = new AtomicBoolean();
    return stream(
        inputs,
        target,
        classNames,
        () -> {
          if (taken.getAndSet(true)) {
            throw new IllegalStateException(
                "An Iterator can be read once. Pass an Iterable to read the examples again.");
          }
          return examples;
        });
  }

  static IndexedDataset classified(Shape shape, Block x, int n, int[] y, List<String> classNames) {
    sameCount(n, y.length);
    for (int i = 0; i < y.length; i++) {
      if (y[i] < 0 || y[i] >= classNames.size()) {
        throw new CremaException(
            "Example "
                + i
                + " has class "
                + y[i]
                + "; with "
                + classNames.size()
                + " classes, 0 to "
                + (classNames.size() - 1)
                + " are possible");
      }
    }
    return IndexedDataset.of(
        List.of(Slots.input(shape)),
        Slots.classTarget(),
        classNames,
        List.of(x, new Block.Labels(y)),
        n,
        new BadRows(false));
  }

  static IndexedDataset unlabelled(Shape shape, Block x, int n) {
    return IndexedDataset.of(
        List.of(Slots.input(shape)), null, List.of(), List.of(x), n, new BadRows(false));
  }

  /** The names "0", "1", … up to the greatest class of those arrays. */
  static List<String> numbered(int[]... labels) {
    int most = -1;
    for (int[] part : labels) {
      for (int label : part) {
        most = Math.max(most, label);
      }
    }
    if (most >= MOST_CLASSES) {
      throw new CremaException(
          "Class number "
              + most
              + " is too great: at most "
              + MOST_CLASSES
              + " classes are possible. Is this a regression?");
    }
    return IntStream.rangeClosed(0, most).mapToObj(Integer::toString).toList();
  }

  /** More classes than any classifier here has; guards against labels that aren't class numbers. */
  static final int MOST_CLASSES = 1_000_000;

  static Block flat(float[] values, Shape shape) {
    return new Block.Floats(values, (int) shape.elements());
  }

  private static int count(float[] values, Shape shape) {
    return count(values.length, shape);
  }

  static int count(int numbers, Shape shape) {
    if (shape.elements() == 0 || numbers % shape.elements() != 0) {
      throw new CremaException(
          numbers + " numbers are not a whole number of examples of shape " + shape);
    }
    return (int) (numbers / shape.elements());
  }

  static int width(float[][] rows) {
    return rows.length == 0 ? 0 : rows[0].length;
  }

  static Block rows(float[][] rows, String name) {
    int width = width(rows);
    for (int i = 0; i < rows.length; i++) {
      if (rows[i].length != width) {
        throw new CremaException(
            "Example "
                + i
                + " has "
                + rows[i].length
                + " numbers in "
                + name
                + ", the first one has "
                + width);
      }
    }
    return new Block.FloatRows(rows.clone(), width);
  }

  private static void sameCount(int x, int y) {
    if (x != y) {
      throw new CremaException("There are " + x + " examples but " + y + " targets");
    }
  }
}
