package dev.crema.nn;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.memory.Buffer;
import dev.crema.memory.Exclusive;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * A model ready to predict batches of up to a capacity, on one thread at a time. Shares the model's
 * parameters; a prediction allocates nothing on the heap. The caller closes it.
 */
public final class Predictor implements AutoCloseable {
  private final Plan plan;
  private final ModelGraph graph;
  private final int capacity;
  private final int inputElements;
  private final int outputElements;
  private final FloatBuffer input;
  private final FloatBuffer output;
  private final Exclusive use;

  Predictor(Model model, int capacity, int threads, Device device) {
    this.capacity = capacity;
    this.graph = model.build(new Graph(), false);
    Plan.Builder builder =
        Plan.of(graph.graph())
            .outputs(graph.outputs().toArray(new Node[0]))
            .capacity(capacity)
            .threads(threads)
            .device(device);
    builder.storage(Storage.PARAMETERS, model.parameters());
    builder.storage(Storage.STATE, model.state());
    this.plan = builder.build();
    this.use = new Exclusive("This predictor", plan::close);
    String name = model.topology().inputs().get(0).name();
    Node first = graph.outputs().get(0);
    this.inputElements = perExample(graph.values().get(name));
    this.outputElements = perExample(first);
    this.input = plan.input(name).borrow(0, 4 * inputElements * capacity).asFloatBuffer();
    this.output = plan.output(first).asFloatBuffer();
  }

  private static int perExample(Node node) {
    return Math.toIntExact(node.type().elements().perExample());
  }

  public int capacity() {
    return capacity;
  }

  /** Elements of one example of the first input. */
  public int inputElements() {
    return inputElements;
  }

  /** Elements of the first output for one example. */
  public int outputElements() {
    return outputElements;
  }

  /** Predicts one example: {@code result} gets the first output. No allocation. */
  public void predict(float[] example, float[] result) {
    predict(example, result, 1);
  }

  /**
   * Predicts the first {@code rows} examples, row-major, of a model with one input. No allocation.
   *
   * @param result gets {@code rows · outputElements} values
   */
  public void predict(float[] examples, float[] result, int rows) {
    check(rows, examples.length, result.length);
    use.enter();
    try {
      input.put(0, examples, 0, rows * inputElements);
      plan.run(rows);
      output.get(0, result, 0, rows * outputElements);
    } finally {
      use.leave();
    }
  }

  /** As {@link #predict(float[], float[], int)}, from and to off-heap memory. */
  public void predict(FloatBuffer examples, FloatBuffer result, int rows) {
    check(rows, examples.remaining(), result.remaining());
    use.enter();
    try {
      input.put(0, examples, examples.position(), rows * inputElements);
      plan.run(rows);
      result.put(result.position(), output, 0, rows * outputElements);
    } finally {
      use.leave();
    }
  }

  /** Predicts any number of examples, in batches. */
  public float[][] predict(float[][] examples) {
    float[][] results = new float[examples.length][outputElements];
    for (float[] example : examples) {
      check(1, example.length, outputElements);
    }
    use.enter();
    try {
      for (int from = 0; from < examples.length; from += capacity) {
        int rows = Math.min(capacity, examples.length - from);
        for (int r = 0; r < rows; r++) {
          input.put(r * inputElements, examples[from + r], 0, inputElements);
        }
        plan.run(rows);
        for (int r = 0; r < rows; r++) {
          output.get(r * outputElements, results[from + r]);
        }
      }
    } finally {
      use.leave();
    }
    return results;
  }

  /**
   * The memory that an input is read from: write up to {@link #capacity} examples there and call
   * {@link #run}. Not to be used after close.
   */
  public ByteBuffer inputMemory(String name) {
    Buffer buffer = plan.input(name);
    return buffer.borrow(0, Math.toIntExact(buffer.byteSize()));
  }

  /** Reads an input from this memory from now on, without a copy. */
  public void bindInput(String name, Buffer buffer) {
    plan.bindInput(name, buffer);
  }

  /** Predicts the examples that stand in the inputs' memory. */
  public void run(int rows) {
    plan.run(rows);
  }

  /** The memory in which an output stands after a run. Not to be used after close. */
  public ByteBuffer outputMemory(int index) {
    return plan.output(graph.outputs().get(index));
  }

  /** The plan behind it. */
  public Plan plan() {
    return plan;
  }

  /** The model's nodes in the plan's graph. */
  List<Node> outputs() {
    return graph.outputs();
  }

  private void check(int rows, int given, int room) {
    if (rows < 0 || rows > capacity) {
      throw new CremaException(
          "This predictor takes up to " + capacity + " examples at once, got " + rows);
    }
    if (given < (long) rows * inputElements) {
      throw new CremaException(
          "An example of this model has "
              + inputElements
              + " values; "
              + rows
              + " need "
              + (long) rows * inputElements
              + ", got "
              + given);
    }
    if (room < (long) rows * outputElements) {
      throw new CremaException(
          "The result needs room for " + (long) rows * outputElements + " values but has " + room);
    }
  }

  /** Closes it; during a prediction, when that ends. May be called again. */
  @Override
  public void close() {
    use.close();
  }
}
