package dev.crema.nn;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.Exclusive;
import dev.crema.pass.Prepack;
import dev.crema.plan.Plan;
import dev.crema.plan.SparseTrial;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A model ready to predict batches of up to a capacity, on one thread at a time: a second thread
 * that uses it meanwhile gets an {@link IllegalStateException}, and so does every use after close.
 * Shares the model's parameters and keeps them until it is closed itself; a prediction allocates
 * nothing on the heap. The caller closes it.
 *
 * <p>Where a dense layer's kernel, or that of a convolution of single pixels, is mostly zero when
 * the predictor is made, both ways to multiply it are measured once in a process, and the zeros are
 * left out if that is clearly faster. A weight of 0 then adds nothing, also where what it would be
 * multiplied by is infinite or NaN. A card multiplies zeros as other weights, 2:4 or not, which is
 * logged.
 *
 * <p>Likewise dense layers whose quantization is dynamic or of weights only are computed so where
 * that was measured faster than float32, at the predictor's capacity, and else in float32 with the
 * numbers that their weights stand for: without rounding of inputs, that is, by dynamic layers.
 * {@link Quantization#always} has them computed so in any case.
 *
 * <p>Batch normalisation that alone reads the linear output of a dense layer or of a convolution is
 * folded into that layer's kernel and bias, once and again whenever the model's values have
 * changed: the model keeps both. What is predicted differs from the two layers one after the other
 * by rounding, and is on the CPU the same for every predictor, batch and number of threads. It
 * takes the memory of such kernels once more. Quantized layers, and kernels whose zeros are left
 * out, stay as they are.
 *
 * <p>A model with one input and one output: {@code predict}. With several: {@link #write} each
 * input, {@link #run}, {@link #read} the outputs.
 */
public final class Predictor implements AutoCloseable {
  private static final int MOST_UNPACKED = 4; // whose float32 products read weights as they lie

  private final Plan plan;
  private final List<Node> outputNodes;
  private final List<String> outputNames;
  private final int capacity;
  private final Map<String, Port> inputs = new LinkedHashMap<>();
  private final List<Port> outputs = new ArrayList<>();
  private final Port input;
  private final Exclusive use;
  private final SparseKernels sparse;
  private final Map<String, SparseTrial.Pattern> patterns; // of weights, when it was made

  Predictor(Model model, int capacity, int threads, Device device, Precision precision) {
    if (capacity < 1) {
      throw new IllegalArgumentException("The capacity must be at least 1, got " + capacity);
    }
    this.capacity = capacity;
    this.sparse = model.sparseKernels();
    this.patterns = sparse.patterns();
    sparse.sayIfWholeOn(device);
    boolean products = capacity > MOST_UNPACKED || precision == Precision.BFLOAT16;
    Prepack prepack = device.packsWeights() ? new Prepack(products) : null;
    ModelGraph graph = model.build(new Graph(), false);
    Topology topology = model.topology();
    topology.inputs().forEach(input -> requireFits(input.name(), input.type(), capacity));
    this.outputNodes = graph.outputs();
    this.outputNames = topology.outputs();
    for (int i = 0; i < outputNodes.size(); i++) {
      requireFits(outputNames.get(i), outputNodes.get(i).type(), capacity);
    }
    this.plan =
        Plan.of(graph.graph())
            .outputs(outputNodes.toArray(new Node[0]))
            .capacity(capacity)
            .threads(threads)
            .device(device)
            .storage(Storage.PARAMETERS, model.parameters())
            .storage(Storage.STATE, model.state())
            .passes(model.predictorPasses(prepack, capacity, threads, device))
            .precision(precision)
            .prepared(model.prepared())
            .build();
    this.use = new Exclusive("This predictor", plan::close);
    try {
      for (Topology.InputSpec spec : topology.inputs()) {
        // An input that no layer reads is not part of the plan.
        int bytes = (int) bytes(spec.type(), capacity);
        ByteBuffer memory =
            plan.inputs().contains(spec.name())
                ? plan.input(spec.name()).borrow(0, bytes)
                : ByteBuffer.allocate(bytes);
        inputs.put(spec.name(), new Port("input '" + spec.name() + "'", spec.type(), memory));
      }
      for (int i = 0; i < outputNodes.size(); i++) {
        outputs.add(output(i));
      }
      this.input = inputs.values().iterator().next();
    } catch (RuntimeException | Error e) {
      plan.close();
      throw e;
    }
  }

  private Port output(int i) {
    Node node = outputNodes.get(i);
    return new Port("output '" + outputNames.get(i) + "'", node.type(), plan.output(node));
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
    return outputs.get(0).elements();
  }

  /** Elements of one example of an input. */
  public int inputElements(String name) {
    Objects.requireNonNull(name, "name");
    return port(name).elements();
  }

  /** Elements of the {@code index}-th output for one example. */
  public int outputElements(int index) {
    return outputPort(index).elements();
  }

  /** Predicts one example: {@code result} gets the output. No allocation. */
  public void predict(float[] example, float[] result) {
    Objects.requireNonNull(example, "example");
    Objects.requireNonNull(result, "result");
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
    Objects.requireNonNull(examples, "examples");
    Objects.requireNonNull(result, "result");
    requireSingle();
    checkRows(rows);
    input.checkInput(rows, examples.length);
    outputs.get(0).checkOutput(rows, result.length);
    use.enter();
    try {
      input.write(0, examples, rows);
      plan.run(rows);
      outputs.get(0).read(0, result, rows);
    } finally {
      use.leave();
    }
  }

  /**
   * As {@link #predict(float[], float[], int)}, from and to the buffers' positions on, which do not
   * move. Off-heap or on the heap.
   */
  public void predict(FloatBuffer examples, FloatBuffer result, int rows) {
    Objects.requireNonNull(examples, "examples");
    Objects.requireNonNull(result, "result");
    requireSingle();
    checkRows(rows);
    input.checkInput(rows, examples.remaining());
    outputs.get(0).checkOutput(rows, result.remaining());
    use.enter();
    try {
      input.write(examples, rows);
      plan.run(rows);
      outputs.get(0).read(result, rows);
    } finally {
      use.leave();
    }
  }

  /** Predicts any number of examples, in batches. */
  public float[][] predict(float[][] examples) {
    Objects.requireNonNull(examples, "examples");
    requireSingle();
    for (float[] example : examples) {
      input.checkExample(example.length);
    }
    outputs.get(0).checkOutput(1, outputElements());
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
          outputs.get(0).read(r, results[from + r], 1);
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
    Objects.requireNonNull(inputName, "inputName");
    Objects.requireNonNull(values, "values");
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
    Objects.requireNonNull(inputName, "inputName");
    Objects.requireNonNull(values, "values");
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
    Objects.requireNonNull(inputName, "inputName");
    Objects.requireNonNull(values, "values");
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

  /**
   * Copies whole examples to where {@link #run} reads them, from a row on: batches are put together
   * so. No allocation; the buffer's position does not move.
   *
   * @param examples from its position to its limit; elements of the input's own type, native byte
   *     order
   */
  public void write(String inputName, int row, ByteBuffer examples) {
    Objects.requireNonNull(inputName, "inputName");
    Objects.requireNonNull(examples, "examples");
    Port port = port(inputName);
    use.enter();
    try {
      port.write(row, examples, capacity);
    } finally {
      use.leave();
    }
  }

  /**
   * Copies an output of the last {@link #run}, from a row on, to what remains of a buffer, whose
   * position does not move. No allocation.
   *
   * @param result gets whole examples of the output's own type, native byte order
   */
  public void read(int index, int row, ByteBuffer result) {
    Objects.requireNonNull(result, "result");
    Port port = outputPort(index);
    use.enter();
    try {
      port.read(row, result, capacity);
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
    Objects.requireNonNull(result, "result");
    Port port = outputPort(index);
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
   * byte order, and call {@link #run}. A view that can be reached keeps the memory, also after
   * close.
   */
  public ByteBuffer inputMemory(String name) {
    Objects.requireNonNull(name, "name");
    port(name);
    use.enter();
    try {
      Buffer memory = plan.input(name);
      return memory.bytes(0, (int) memory.byteSize());
    } finally {
      use.leave();
    }
  }

  /**
   * Reads an input from this memory from now on, without a copy; what {@link #write} and {@code
   * predict} copy for that input is no longer read.
   */
  public void bindInput(String name, Buffer buffer) {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(buffer, "buffer");
    port(name);
    use.enter();
    try {
      plan.bindInput(name, buffer);
      for (int i = 0; i < outputs.size(); i++) {
        outputs.set(i, output(i)); // an output may be the input itself, reshaped
      }
    } finally {
      use.leave();
    }
  }

  /**
   * The memory in which an output stands after a run, native byte order; the next run overwrites
   * it. A view that can be reached keeps the memory, also after close.
   */
  public ByteBuffer outputMemory(int index) {
    outputPort(index);
    use.enter();
    try {
      return plan.outputView(outputNodes.get(index));
    } finally {
      use.leave();
    }
  }

  /** Whether one that is made now might multiply otherwise: weights have become 0 since. */
  boolean isOutdated() {
    return sparse.differFrom(patterns);
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

  private Port outputPort(int index) {
    if (index < 0 || index >= outputs.size()) {
      throw new CremaException(
          "This model has the outputs 0 to "
              + (outputs.size() - 1)
              + " "
              + outputNames
              + ", got "
              + index);
    }
    return outputs.get(index);
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
