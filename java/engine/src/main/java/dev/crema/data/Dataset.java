package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A source of examples, read in batches into off-heap buffers (direct, native byte order).
 * Immutable, so any number of readers may be open at once, each used by one thread at a time.
 */
public interface Dataset {
  /**
   * What one number of a target is: {@code number · deviation + mean} in the unit of the data.
   *
   * @param name such as that of a table's column
   */
  record Value(String name, double mean, double deviation) {
    /** A number in the unit of the data. */
    public double original(double number) {
      return number * deviation + mean;
    }
  }

  /**
   * One block of every example, such as "x" FLOAT32 [28, 28, 1].
   *
   * @param shape of one example, without the batch axis
   * @param values of a target: what its numbers are, one entry each; empty where that is not known
   */
  record Slot(String name, ElementType type, Shape shape, List<Value> values) {
    /** A slot of whose numbers no more is known. */
    public Slot(String name, ElementType type, Shape shape) {
      this(name, type, shape, List.of());
    }

    public Slot {
      values = List.copyOf(values);
      if (type != ElementType.FLOAT32 && type != ElementType.INT32) {
        throw new IllegalArgumentException(
            "Slot " + name + " must be FLOAT32 or INT32, got " + type);
      }
      if (shape.byteSize(type) > Integer.MAX_VALUE) {
        throw new CremaException(
            "One example of "
                + name
                + " has "
                + shape.byteSize(type)
                + " bytes; at most 2^31-1 are possible");
      }
      if (!values.isEmpty() && values.size() != shape.elements()) {
        throw new IllegalArgumentException(
            "Slot " + name + " has " + shape + " numbers, but " + values.size() + " are described");
      }
    }

    /** Elements in one example. */
    public int width() {
      return (int) shape.elements();
    }

    /** Bytes of one example. */
    public int rowBytes() {
      return (int) shape.byteSize(type);
    }
  }

  /** The two parts of a dataset; they share memory with it. */
  record Split(Dataset train, Dataset validation) {}

  /** The input blocks, usually one. */
  List<Slot> inputs();

  /**
   * What is to be predicted: INT32 [] (class number) for classification, FLOAT32 [k] for regression
   * and multi-hot targets; null for unlabelled data.
   *
   * @throws CremaException if there are several: see {@link #targets}
   */
  Slot target();

  /**
   * What is to be predicted, a target for each output of a model: those of a model's names belong
   * to the outputs of that name, others to the outputs in their order. Empty for unlabelled data.
   */
  default List<Slot> targets() {
    Slot only = target();
    return only == null ? List.of() : List.of(only);
  }

  /**
   * A name for every class in order of class number; empty when this is not classification.
   *
   * @throws CremaException if there are several targets: see {@link #classNames(int)}
   */
  List<String> classNames();

  /** As {@link #classNames()}, of one of the {@link #targets}. */
  default List<String> classNames(int target) {
    return classNames();
  }

  /** Number of examples, or -1 if not known before they were read. */
  long size();

  /** Opens a reader at the first example of that order. The caller closes it. */
  Reader reader(Order order);

  /**
   * Two disjoint parts that together are this dataset. The same fraction and seed give the same
   * parts. Classes keep their proportions where the data lies in memory; streams are divided by a
   * hash of the row, so their parts have about the asked size.
   *
   * @param fraction of the examples that becomes the validation part, in (0, 1)
   */
  Split split(double fraction, long seed);

  /** The first {@code n} examples, or all of them if there are fewer. */
  Dataset take(long n);

  /**
   * {@code n} of the examples, or a few less, drawn by the seed, classes in their proportions; all
   * if there are fewer. Of a stream, whose size is not known, the first ones.
   */
  default Dataset sample(long n, long seed) {
    if (size() < 0) {
      return take(n);
    }
    return size() <= n ? this : split((double) n / size(), seed).validation().take(n);
  }

  /**
   * This dataset with one input block passed through a function when it is read.
   *
   * @param input name of a FLOAT32 input
   * @param shape of the result, without the batch axis
   */
  Dataset map(String input, Shape shape, RowFunction function);

  /** Examples left out so far because they could not be read (only where that was asked for). */
  default long badRows() {
    return 0;
  }

  /** A position in one pass over the examples. Not thread-safe. */
  interface Reader extends AutoCloseable {
    /**
     * Writes the next examples into the first rows of each buffer, and leaves positions and limits
     * alone.
     *
     * @param slots one buffer for each input and then one for each target; those of the targets may
     *     be left out, all of them; direct, native byte order, each with room for {@code capacity}
     *     rows
     * @return the rows written: {@code capacity}, fewer at the end, then 0
     * @throws CremaException if an example can't be read
     */
    int read(List<ByteBuffer> slots, int capacity);

    @Override
    void close();
  }
}
