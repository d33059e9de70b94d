package dev.crema.nn;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.Exclusive;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model ready to predict batches of up to a capacity, on one thread at a time: a second thread
 * that uses it meanwhile gets an {@link IllegalStateException}, and so does every use after close.
 * Shares the model's parameters and keeps them until it is closed itself; a prediction allocates
 * nothing on the heap. The caller closes it.
 *
 * <p>A model with one input and one output: {@code predict}. With several: {@link #write} each
 * input, {@link #run}, {@link #read} the outputs.
 */
public final class Predictor implements AutoCloseable {
  private final Plan plan;
  private final List<Node> outputNodes;
  private final int capacity;
  private final Map<String, Port> inputs = new LinkedHashMap<>();
  private final List<Port> outputs = new ArrayList<>();
  private final Port input;
  private final Port output;
  private final Exclusive use;

  Predictor(Model model, int capacity, int threads, Device device) {
    this.capacity = capacity;
    ModelGraph graph = model.build(new Graph(), false);
    graph.values().forEach((name, node) -> requireFits(name, node.type(), capacity));
    this.outputNodes = graph.outputs();
    this.plan =
        Plan.of(graph.graph())
            .outputs(outputNodes.toArray(new Node[0]))
            .capacity(capacity)
            .threads(threads)
            .device(device)
            .storage(Storage.PARAMETERS, model.parameters())
            .storage(Storage.STATE, model.state())
            .build();
    this.use = new Exclusive("This predictor", plan::close);
    try {
      for (Topology.InputSpec spec : model.topology().inputs()) {
        // An input that no layer reads is not part of the plan.
        ByteBuffer memory =
            plan.inputs().contains(spec.name())
                ? own(plan.input(spec.name()))
                : ByteBuffer.allocate((int) bytes(spec.type(), capacity));
        inputs.put(spec.name(), new Port("input '" + spec.name() + "'", spec.type(), memory));
      }
      for (int i = 0; i < outputNodes.size(); i++) {
        Node node = outputNodes.get(i);
        String name = "output '" + model.topology().outputs().get(i) + "'";
        outputs.add(new Port(name, node.type(), memory(node)));
      }
      input = inputs.values().iterator().next();
      output = outputs.get(0);
    } catch (RuntimeException | Error e) {
      plan.close();
      throw e;
    }
  }

  /** An output that is an input, as it is or reshaped, has no memory of its own. */
  private ByteBuffer memory(Node node) {
    Node origin = node;
    while (origin.op().alias() >= 0) {
      origin = origin.application().input(origin.op().alias());
    }
    return origin.op() instanceof Input in ? own(plan.input(in.name())) : plan.output(node);
  }

  /** A view for the predictor's own use, which ends before the memory does. */
  private static ByteBuffer own(Buffer buffer) {
    return buffer.borrow(0, Math.toIntExact(buffer.byteSize()));
  }

  /** A view for users, which keeps the memory alive. */
  private static ByteBuffer all(Buffer buffer) {
    return buffer.bytes(0, Math.toIntExact(buffer.byteSize()));
  }

  private static long bytes(TensorType type, int capacity) {
    return type.at(capacity).byteSize(type.element());
  }

  private static void requireFits(String name, TensorType type, int capacity) {
    if (type.elements().constant() != 0) {
      throw new ShapeException("'" + name + "' is " + type + "; predictions need [n, ...]");
    }
    if (bytes(type, capacity) > Integer.MAX_VALUE) {
      throw new CremaException(
          "'"
              + name
              + "' is "
              + type
              + ": for "
              + capacity
              + " examples that is more than 2 GB. Ask for a smaller capacity.");
    }
  }

  public int capacity() {
    return capacity;
  }

  /** Elements of one example of the first input. */
  public int inputElements() {
    return input.elements();
  }

  /** Elements of the first output for one example. */
  public int outputElements() {
    return output.elements();
  }

  /** Elements of one example of an input. */
  public int inputElements(String name) {
    return port(name).elements();
  }

  /** Elements of the {@code index}-th output for one example. */
  public int outputElements(int index) {
    return outputs.get(index).elements();
  }

  /** Predicts one example: {@code result} gets the output. No allocation. */
  public void predict(float[] example, float[] result) {
    requireSingle();
    input.checkExample(example.length);
    predict(example, result, 1);
  }

  /**
   * Predicts the first {@code rows} examples, row-major. No allocation.
   *
   * @param examples for an input of a whole-number type, whole numbers
   * @param result gets {@code rows · outputElements} values
   */
  public void predict(float[] examples, float[] result, int rows) {
    requireSingle();
    checkRows(rows);
    input.checkInput(rows, examples.length);
    output.checkOutput(rows, result.length);
    use.enter();
    try {
      input.write(0, examples, rows);
      plan.run(rows);
      output.read(0, result, rows);
    } finally {
      use.leave();
    }
  }

  /**
   * As {@link #predict(float[], float[], int)}, from and to the buffers' positions on, which do not
   * move. Off-heap or on the heap.
   */
  public void predict(FloatBuffer examples, FloatBuffer result, int rows) {
    requireSingle();
    checkRows(rows);
    input.checkInput(rows, examples.remaining());
    output.checkOutput(rows, result.remaining());
    use.enter();
    try {
      input.write(examples, rows);
      plan.run(rows);
      output.read(result, rows);
    } finally {
      use.leave();
    }
  }

  /** Predicts any number of examples, in batches. */
  public float[][] predict(float[][] examples) {
    requireSingle();
    for (float[] example : examples) {
      input.checkExample(example.length);
    }
    output.checkOutput(1, outputElements());
    float[][] results = new float[examples.length][outputElements()];
    use.enter();
    try {
      for (int from = 0; from < examples.length; from += capacity) {
        int rows = Math.min(capacity, examples.length - from);
        for (int r = 0; r < rows; r++) {
          input.write(r, examples[from + r], 1);
        }
        plan.run(rows);
        for (int r = 0; r < rows; r++) {
          output.read(r, results[from + r], 1);
        }
      }
    } finally {
      use.leave();
    }
    return results;
  }

  /**
   * Copies the first {@code rows} examples of an input to where {@link #run} reads them. No
   * allocation.
   *
   * @param values row-major; whole numbers for an input of a whole-number type
   */
  public void write(String inputName, float[] values, int rows) {
    Port port = port(inputName);
    checkRows(rows);
    port.checkInput(rows, values.length);
    use.enter();
    try {
      port.write(0, values, rows);
    } finally {
      use.leave();
    }
  }

  /** As {@link #write(String, float[], int)}. */
  public void write(String inputName, int[] values, int rows) {
    Port port = port(inputName);
    checkRows(rows);
    port.checkInput(rows, values.length);
    use.enter();
    try {
      port.write(values, rows);
    } finally {
      use.leave();
    }
  }

  /** As {@link #write(String, float[], int)}. */
  public void write(String inputName, long[] values, int rows) {
    Port port = port(inputName);
    checkRows(rows);
    port.checkInput(rows, values.length);
    use.enter();
    try {
      port.write(values, rows);
    } finally {
      use.leave();
    }
  }

  /** Predicts the first {@code rows} examples that stand in the inputs' memory. */
  public void run(int rows) {
    checkRows(rows);
    use.enter();
    try {
      plan.run(rows);
    } finally {
      use.leave();
    }
  }

  /** Copies an output of the last {@link #run}: {@code rows · outputElements(index)} values. */
  public void read(int index, float[] result, int rows) {
    Port port = outputs.get(index);
    checkRows(rows);
    port.checkOutput(rows, result.length);
    use.enter();
    try {
      port.read(0, result, rows);
    } finally {
      use.leave();
    }
  }

  /**
   * The memory that an input is read from: write up to {@link #capacity} examples there, native
   * byte order, and call {@link #run}.
   */
  public ByteBuffer inputMemory(String name) {
    port(name);
    use.enter();
    try {
      return all(plan.input(name));
    } finally {
      use.leave();
    }
  }

  /**
   * Reads an input from this memory from now on, without a copy; what {@link #write} and {@code
   * predict} copy for that input is no longer read.
   */
  public void bindInput(String name, Buffer buffer) {
    port(name);
    use.enter();
    try {
      plan.bindInput(name, buffer);
    } finally {
      use.leave();
    }
  }

  /**
   * The memory in which an output stands after a run, native byte order; the next run overwrites
   * it.
   */
  public ByteBuffer outputMemory(int index) {
    use.enter();
    try {
      return memory(outputNodes.get(index)).duplicate().order(ByteOrder.nativeOrder());
    } finally {
      use.leave();
    }
  }

  /** The plan behind it. */
  public Plan plan() {
    return plan;
  }

  private Port port(String name) {
    Port port = inputs.get(name);
    if (port == null) {
      throw new CremaException("This model has no input '" + name + "'; it has " + inputs.keySet());
    }
    return port;
  }

  private void requireSingle() {
    if (inputs.size() > 1 || outputs.size() > 1) {
      throw new CremaException(
          "This model has "
              + inputs.size()
              + " inputs "
              + inputs.keySet()
              + " and "
              + outputs.size()
              + " outputs. Use a predictor: write each input, run, read each output.");
    }
  }

  private void checkRows(int rows) {
    if (rows < 0 || rows > capacity) {
      throw new CremaException(
          "This predictor takes up to " + capacity + " examples at once, got " + rows);
    }
  }

  /** Closes it; during a prediction, when that ends. May be called again. */
  @Override
  public void close() {
    use.close();
  }
}
