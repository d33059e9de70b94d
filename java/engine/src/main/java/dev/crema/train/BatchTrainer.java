package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.memory.Exclusive;
import dev.crema.nn.Topology;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Trains a model by batches that the caller brings, for whoever wants the loop in their own hands
 * (Keras: {@code train_on_batch}). A step is one call into native code and allocates nothing on the
 * heap.
 *
 * <pre>{@code
 * try (BatchTrainer trainer =
 *     Trainer.of(model).loss(Losses.sparseCategoricalCrossentropy()).batches(32)) {
 *   while (more()) {
 *     float loss = trainer.step(examples, classes, 32);
 *   }
 * }
 * }</pre>
 *
 * <p>The optimiser's moments live as long as this object. One thread at a time; the model may
 * predict on other threads meanwhile. The caller closes it, and the model after it.
 */
public final class BatchTrainer implements AutoCloseable {
  private final TrainingStep step;
  private final int capacity;
  private final int inputs;
  private final List<String> outputs;
  private final List<Slot> slots = new ArrayList<>();
  private final Exclusive use = new Exclusive("This trainer", this::release);
  private double learningRate;

  /** Memory for one input or target, seen as floats and as whole numbers. */
  private record Slot(
      String name,
      TensorType type,
      int elements,
      Buffer buffer,
      ByteBuffer bytes,
      FloatBuffer floats,
      IntBuffer ints) {
    void put(float[] values, int rows) {
      check(ElementType.FLOAT32, "floats", values.length, rows);
      floats.put(0, values, 0, rows * elements);
    }

    void put(int[] values, int rows) {
      check(ElementType.INT32, "class numbers", values.length, rows);
      ints.put(0, values, 0, rows * elements);
    }

    private void check(ElementType given, String what, int length, int rows) {
      if (type.element() != given) {
        throw new IllegalArgumentException("'" + name + "' is " + type + ", got " + what);
      }
      if (length < (long) rows * elements) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "'%s' needs %d numbers for %d examples of %d, got %d",
                name,
                (long) rows * elements,
                rows,
                elements,
                length));
      }
    }
  }

  BatchTrainer(Trainer trainer, int capacity) {
    List<Head> heads = trainer.outputs.usualHeads();
    this.capacity = capacity;
    this.learningRate = trainer.optimizer.learningRate();
    this.inputs = trainer.model.topology().inputs().size();
    this.outputs = trainer.outputs.trained();
    this.step = new TrainingStep(trainer, capacity, heads);
    try {
      for (Topology.InputSpec input : trainer.model.topology().inputs()) {
        slots.add(slot(input.name(), input.type()));
      }
      for (HeadResult output : step.outputs()) {
        String name = heads.size() == 1 ? Objective.TARGET : output.head().output();
        slots.add(slot(name, output.target()));
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private Slot slot(String name, TensorType type) {
    long bytes = type.at(capacity).byteSize(type.element());
    if (bytes > Integer.MAX_VALUE) {
      throw new CremaException(
          "'" + name + "' " + type + " has more than 2 GB for " + capacity + " examples");
    }
    Buffer buffer = Buffer.allocate(Math.max(4, bytes), name);
    ByteBuffer view = buffer.bytes(0, (int) bytes);
    step.bind(slots.size(), buffer);
    return new Slot(
        name,
        type,
        (int) type.elements().perExample(),
        buffer,
        view,
        view.asFloatBuffer(),
        view.asIntBuffer());
  }

  /** The most examples of a step. */
  public int capacity() {
    return capacity;
  }

  /**
   * Memory that {@link #run} reads the {@code index}-th input from, native byte order, row-major,
   * room for {@link #capacity} examples. Valid for as long as it can be reached.
   */
  public ByteBuffer input(int index) {
    if (index < 0 || index >= inputs) {
      throw new IllegalArgumentException(
          "There are inputs 0 to " + (inputs - 1) + ", got " + index);
    }
    return slots.get(index).bytes;
  }

  /**
   * As {@link #input}: class numbers (int32) or floats, as the loss has them.
   *
   * @throws CremaException if several outputs are trained
   */
  public ByteBuffer target() {
    if (outputs.size() > 1) {
      throw new CremaException(
          "There are several targets, one for each of the outputs "
              + outputs
              + ": use target(output)");
    }
    return slots.get(inputs).bytes;
  }

  /** As {@link #target()}, of one output of several. */
  public ByteBuffer target(String output) {
    return slots.get(inputs + indexOf(output)).bytes;
  }

  /** The mean loss of one output of several in the last step, without its weight. */
  public float loss(String output) {
    int index = indexOf(output);
    use.enter();
    try {
      return step.outputs().get(index).loss();
    } finally {
      use.leave();
    }
  }

  /**
   * What the loss is multiplied by before gradients are computed; 1 where it is not scaled. On a
   * card it is copied back: ask now and then, not at each step.
   */
  public double lossScale() {
    use.enter();
    try {
      return step.scaled() == null ? 1 : step.scaled().scale();
    } finally {
      use.leave();
    }
  }

  private int indexOf(String output) {
    int index = outputs.indexOf(output);
    if (index < 0) {
      throw new CremaException("No output '" + output + "' is trained here; there are " + outputs);
    }
    return index;
  }

  /** From the next step on; until then the optimiser's. */
  public void learningRate(double rate) {
    learningRate = rate;
  }

  /**
   * A step with what stands in {@link #input} and {@link #target()}.
   *
   * @param rows examples that count, 1 to {@link #capacity}
   * @return their mean loss before the update; of several outputs the weighted sum of theirs
   * @throws IllegalStateException if this is closed or another thread uses it
   */
  public float run(int rows) {
    requireRows(rows);
    use.enter();
    try {
      return step.run(rows, learningRate, true);
    } finally {
      use.leave();
    }
  }

  /**
   * A step of a model with one input whose targets are class numbers. Both arrays are copied.
   *
   * @param examples [rows, …] row-major
   * @param classes [rows]
   */
  public float step(float[] examples, int[] classes, int rows) {
    requireRows(rows);
    onlyInput().put(examples, rows);
    slots.get(1).put(classes, rows);
    return run(rows);
  }

  /** As {@link #step(float[], int[], int)}, of targets that are numbers [rows, …]. */
  public float step(float[] examples, float[] targets, int rows) {
    requireRows(rows);
    onlyInput().put(examples, rows);
    slots.get(1).put(targets, rows);
    return run(rows);
  }

  private Slot onlyInput() {
    if (inputs != 1) {
      throw new CremaException(
          "This model has "
              + inputs
              + " inputs: write each to input(i), the target to target(), and call run");
    }
    if (slots.size() != 2) {
      throw new CremaException(
          "The outputs "
              + outputs
              + " are trained: write the input to input(0), each target to target(output), and"
              + " call run");
    }
    return slots.get(0);
  }

  private void requireRows(int rows) {
    if (rows < 1 || rows > capacity) {
      throw new IllegalArgumentException(
          "A step takes 1 to " + capacity + " examples, got " + rows);
    }
  }

  /**
   * Frees the moments and the memory of the batch, during a step when that ends; a second close
   * does nothing.
   */
  @Override
  public void close() {
    use.close();
  }

  private void release() {
    step.close();
    slots.forEach(s -> s.buffer.close());
  }
}
