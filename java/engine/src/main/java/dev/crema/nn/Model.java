package dev.crema.nn;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.io.Content;
import dev.crema.io.ModelArchive;
import dev.crema.memory.Buffer;
import dev.crema.pass.FoldBatchNorm;
import dev.crema.pass.NonZeros;
import dev.crema.pass.Pass;
import dev.crema.pass.Passes;
import dev.crema.pass.Prepack;
import dev.crema.pass.Quantize;
import dev.crema.pass.Sparsify;
import dev.crema.plan.Prepared;
import dev.crema.plan.QuantizedTrial;
import dev.crema.plan.SparseTrial;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/**
 * Layers with their parameters: what is trained, saved, compressed, served. All parameters lie in
 * one flat off-heap buffer, all states (running means) in another; whoever made the model closes
 * it.
 *
 * <p>{@link #predict} may be called from many threads. Training and loading change the parameters
 * in place; predictions that run meanwhile may see some old and some new ones.
 */
public final class Model implements AutoCloseable {
  /** Of the library; stands in model files. */
  public static final String VERSION = "0.1.0";

  private static final int POOLED_PREDICTORS = 64;
  private static final int POOLED_BATCHES = 4;
  private static final int BATCH = 64;
  private static final int MOST_IN_ARRAY = Integer.MAX_VALUE - 8;
  private static final int CHUNK_BYTES = 1 << 30;

  private final Topology topology;
  private final ParameterTable table;
  private final Buffer parameters;
  private final Buffer state;
  private final ObjectNode metadata;
  private final Quantization quantization; // null: none
  private final PredictorPool single = new PredictorPool(this, 1, 1, POOLED_PREDICTORS);
  private final PredictorPool batches = new PredictorPool(this, BATCH, 0, POOLED_BATCHES);
  private final Prepared prepared = new Prepared();
  private final Masks masks = new Masks(this);
  private final SparseKernels sparse = new SparseKernels(this);
  private volatile boolean closed;

  private Model(
      Topology topology, ParameterTable table, ObjectNode metadata, Quantization quantization) {
    this.topology = topology;
    this.table = table;
    this.metadata = metadata;
    this.quantization = quantization;
    this.parameters = Buffer.allocate(4 * table.size(Storage.PARAMETERS), "The model's parameters");
    Buffer second;
    try {
      second = Buffer.allocate(4 * table.size(Storage.STATE), "The model's state");
    } catch (RuntimeException e) {
      parameters.close();
      throw e;
    }
    this.state = second;
  }

  /** A model with freshly initialised parameters; the same seed gives the same ones. */
  public static Model of(Topology topology, long seed) {
    Objects.requireNonNull(topology, "topology");
    ParameterTable table = topology.table();
    table.all().forEach(Model::elements); // before memory is taken
    Model model = new Model(topology, table, new ObjectNode(JsonNodeFactory.instance), null);
    try {
      SplittableRandom random = new SplittableRandom(seed);
      for (Parameter p : model.table.all()) {
        float[] values = new float[elements(p)];
        p.initializer().fill(values, p.type().at(0), random.split());
        model.set(p.path(), values);
      }
      return model;
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** As {@link #of(Topology, long)}, of a model written with {@link Layer#apply}. */
  public static Model of(List<Symbol> inputs, List<Symbol> outputs, long seed) {
    Objects.requireNonNull(inputs, "inputs");
    Objects.requireNonNull(outputs, "outputs");
    return of(Topology.of(inputs, outputs), seed);
  }

  /** Begins a model whose layers follow one another. */
  public static Sequential sequential(long... inputShape) {
    Objects.requireNonNull(inputShape, "inputShape");
    return new Sequential(Symbol.input("x", inputShape));
  }

  /**
   * Reads a model that {@link #save} wrote.
   *
   * @throws CremaException naming the file and what is wrong with it; nothing is partly loaded
   */
  public static Model load(Path folderOrZip) {
    Objects.requireNonNull(folderOrZip, "folderOrZip");
    return ModelFiles.load(folderOrZip);
  }

  /**
   * As {@link #load(Path)}, from an archive that is open already; the archive stays open.
   *
   * @throws CremaException naming the file and what is wrong with it; nothing is partly loaded
   */
  public static Model read(ModelArchive archive) {
    Objects.requireNonNull(archive, "archive");
    return ModelFiles.read(archive);
  }

  /**
   * Reads the tensors of an archive of the same topology into this model's memory, in place. All
   * checks are done before anything changes.
   *
   * @throws CremaException if the archive holds another topology or other tensors
   */
  public void load(ModelArchive archive) {
    Objects.requireNonNull(archive, "archive");
    requireOpen();
    ModelFiles.readInto(this, archive);
  }

  /** All zeros; the caller fills it. */
  static Model uninitialized(
      Topology topology, ParameterTable table, ObjectNode metadata, Quantization quantization) {
    return new Model(topology, table, metadata, quantization);
  }

  /**
   * Writes the model to a folder, or to one file if the name ends in {@code .zip}. Atomic: a reader
   * sees the old model or the new one.
   */
  public void save(Path folderOrZip) {
    Objects.requireNonNull(folderOrZip, "folderOrZip");
    save(folderOrZip, Map.of());
  }

  /** As {@link #save(Path)}, with more files beside the model's own. */
  public void save(Path folderOrZip, Map<String, Content> more) {
    Objects.requireNonNull(folderOrZip, "folderOrZip");
    Objects.requireNonNull(more, "more");
    ModelFiles.save(this, folderOrZip, more);
  }

  public Topology topology() {
    return topology;
  }

  /** Which parameters and states there are. */
  public ParameterTable table() {
    return table;
  }

  /** What is saved with the model beside its topology: preprocessing, labels, history. Live. */
  public ObjectNode metadata() {
    return metadata;
  }

  /**
   * All parameters, flat; see {@link #table}. The model owns it. Predictions see what is written
   * there; while a view of it can be reached, they pack the weights of dense layers anew each time.
   */
  public Buffer parameters() {
    requireOpen();
    return parameters;
  }

  /** Which of its weights are pruned. */
  public Masks masks() {
    requireOpen();
    return masks;
  }

  /** What its predictors compute from the parameters and share. */
  Prepared prepared() {
    return prepared;
  }

  /** All states, flat. The model owns it. */
  public Buffer state() {
    requireOpen();
    return state;
  }

  /** The flat buffer of a storage of this model. */
  public Buffer storage(Storage storage) {
    Objects.requireNonNull(storage, "storage");
    return storage.equals(Storage.STATE) ? state() : parameters();
  }

  /** A copy of a parameter or state, row-major. */
  public float[] get(String path) {
    Objects.requireNonNull(path, "path");
    Parameter p = parameter(path);
    float[] values = new float[elements(p)];
    chunks(
        p, (from, bytes) -> bytes.asFloatBuffer().get(values, (int) (from / 4), bytes.limit() / 4));
    return values;
  }

  /**
   * Changes a parameter or state.
   *
   * @param values as many as it has elements, row-major
   */
  public void set(String path, float[] values) {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(values, "values");
    Parameter p = parameter(path);
    if (values.length != p.elements()) {
      throw new CremaException(
          path + " is " + p.type() + " (" + p.elements() + " values), got " + values.length);
    }
    overwrite(
        p, (from, bytes) -> bytes.asFloatBuffer().put(values, (int) (from / 4), bytes.limit() / 4));
  }

  static int elements(Parameter p) {
    if (p.elements() > MOST_IN_ARRAY) {
      throw new CremaException(
          p.path()
              + " of "
              + p.type()
              + " has more elements than a Java array holds ("
              + p.elements()
              + "). Make the layer smaller or split it.");
    }
    return (int) p.elements();
  }

  /** Something to do with a stretch of a tensor's memory, {@code from} bytes from its start. */
  interface Chunk<E extends Exception> {
    void take(long from, ByteBuffer bytes) throws E;
  }

  /** Shows a tensor's memory, in stretches that a {@link ByteBuffer} can hold, and keeps it. */
  <E extends Exception> void chunks(Parameter p, Chunk<E> action) throws E {
    chunks(p, CHUNK_BYTES, action);
  }

  /** As {@link #chunks(Parameter, Chunk)}, for an action that changes the memory. */
  <E extends Exception> void overwrite(Parameter p, Chunk<E> action) throws E {
    Buffer memory = storage(p.storage());
    try {
      chunks(p, action);
    } finally {
      memory.changed();
    }
  }

  /** As {@link #chunks(Parameter, Chunk)}, in stretches of at most that many bytes. */
  <E extends Exception> void chunks(Parameter p, int most, Chunk<E> action) throws E {
    chunks(storage(p.storage()), p, most, action);
  }

  /** As {@link #chunks(Parameter, Chunk)}, of memory laid out as the parameter's storage. */
  static <E extends Exception> void chunks(Buffer like, Parameter p, Chunk<E> action) throws E {
    chunks(like, p, CHUNK_BYTES, action);
  }

  private static <E extends Exception> void chunks(
      Buffer like, Parameter p, int most, Chunk<E> action) throws E {
    Buffer memory = like.retain();
    try {
      long size = 4 * p.elements();
      for (long from = 0; from < size; from += most) {
        int bytes = (int) Math.min(most, size - from);
        action.take(from, memory.borrow(4 * p.offset() + from, bytes));
      }
    } finally {
      memory.release();
    }
  }

  Parameter parameter(String path) {
    requireOpen();
    Parameter p = table.get(path);
    if (p == null) {
      List<String> names = table.all().stream().map(Parameter::path).toList();
      throw new CremaException("This model has no parameter '" + path + "'; it has " + names);
    }
    return p;
  }

  /** How its layers predict with quantized weights; null if they do not. */
  public Quantization quantization() {
    return quantization;
  }

  /**
   * A copy whose predictions, evaluations and files use quantized weights. Its parameters are the
   * nearest numbers that those can stand for, in float32: its files are smaller, its memory is not.
   * The caller closes it.
   *
   * @throws CremaException if the quantization does not fit this model
   */
  public Model quantized(Quantization with) {
    Objects.requireNonNull(with, "with");
    Map<String, QuantizedKernel> kernels = with.kernels(topology, table);
    Model copy = copy(with);
    try {
      kernels.forEach((path, kernel) -> QuantizedTensors.round(copy, table.get(path), kernel));
      return copy;
    } catch (RuntimeException | Error e) {
      copy.close();
      throw e;
    }
  }

  /**
   * What a plan that predicts with this model's parameters and does not change them goes by.
   * Kernels that are mostly zero now are multiplied without their zeros where that was measured
   * faster.
   *
   * <p>Layers of a quantization are computed so.
   *
   * @param capacity most examples of a batch
   * @param threads of the pool; 0 for all
   */
  public List<Pass> predictionPasses(int capacity, int threads, Device device) {
    Objects.requireNonNull(device, "device");
    return predictionPasses(
        null, capacity, threads, device, (product, scheme) -> true, nonZeros(device));
  }

  /**
   * The same for predictors, which compute dynamic and weight-only layers so only where that was
   * measured faster, unless the quantization is {@link Quantization#always}, and fold batch
   * normalisation.
   *
   * @param prepack packs kernels ahead, and again when they have changed; null: nothing does
   */
  List<Pass> predictorPasses(Prepack prepack, int capacity, int threads, Device device) {
    boolean always = quantization != null && quantization.always();
    Map<String, NonZeros> nonZeros = nonZeros(device);
    List<Pass> passes =
        predictionPasses(
            prepack,
            capacity,
            threads,
            device,
            always ? (product, scheme) -> true : new QuantizedTrial(device, capacity, threads),
            nonZeros);
    Set<String> quantized = quantization == null ? Set.of() : quantization.layers().keySet();
    return Passes.folded(passes, new FoldBatchNorm(quantized, nonZeros.keySet()));
  }

  /** Of kernels that are mostly zero, where the device can leave zeros out. */
  private Map<String, NonZeros> nonZeros(Device device) {
    return device.packsWeights() ? sparse.nonZeros() : Map.of();
  }

  private List<Pass> predictionPasses(
      Prepack prepack,
      int capacity,
      int threads,
      Device device,
      Quantize.Choice choice,
      Map<String, NonZeros> nonZeros) {
    boolean products = quantization != null || prepack != null && prepack.products();
    List<Pass> passes =
        quantization != null
            ? Passes.prediction(new Quantize(quantization.layers(), choice), new Prepack())
            : prepack != null ? Passes.prediction(prepack) : Passes.standard();
    return nonZeros.isEmpty()
        ? passes
        : Passes.sparse(
            passes,
            new Sparsify(nonZeros, capacity, new SparseTrial(device, capacity, threads, products)));
  }

  /** Which kernels are mostly zero. */
  SparseKernels sparseKernels() {
    return sparse;
  }

  /** Another model of the same structure, with copies of values and masks; the caller closes it. */
  public Model copy() {
    return copy(quantization);
  }

  private Model copy(Quantization with) {
    requireOpen();
    Model copy = new Model(topology, topology.table(), metadata.deepCopy(), with);
    try {
      copy.parameters.copyFrom(0, parameters, 0, parameters.byteSize());
      copy.state.copyFrom(0, state, 0, state.byteSize());
      copy.masks.copyFrom(masks);
      return copy;
    } catch (RuntimeException | Error e) {
      copy.close();
      throw e;
    }
  }

  /**
   * Writes all parameters and states, by their paths, to one safetensors file.
   *
   * @throws CremaException if the file system refuses
   */
  public void exportTensors(Path file) {
    Objects.requireNonNull(file, "file");
    requireOpen();
    ModelFiles.export(this, file);
  }

  /**
   * Reads parameters and states from a safetensors file, which may come from elsewhere. All checks
   * are done before anything changes.
   *
   * @param nameOf the name in the file of the tensor at a path; null leaves that one as it is
   * @throws CremaException if a tensor is missing or is not float32 of the parameter's shape
   */
  public void importTensors(Path file, UnaryOperator<String> nameOf) {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(nameOf, "nameOf");
    requireOpen();
    ModelFiles.importInto(this, file, nameOf);
  }

  /** Its layers, sizes and costs; its text is a table. */
  public Summary summary() {
    requireOpen();
    return Summary.of(this);
  }

  /** Adds this model to a graph. */
  public ModelGraph build(Graph graph, boolean training) {
    Objects.requireNonNull(graph, "graph");
    return topology.build(graph, training, table);
  }

  /**
   * As {@link #build(Graph, boolean)}, where the layers of a quantization read and multiply by what
   * bytes would give back, in float32: kernels rounded by their present magnitudes, inputs by the
   * given scales. Gradients pass straight through the rounding.
   */
  public ModelGraph build(Graph graph, boolean training, Quantization rounding) {
    Objects.requireNonNull(graph, "graph");
    Objects.requireNonNull(rounding, "rounding");
    return topology.build(graph, training, table, rounding);
  }

  /**
   * Prepares predictions for batches of up to that many examples, with memory of its own; one for
   * each thread. The caller closes it.
   */
  public Predictor predictor(int capacity) {
    return predictor(capacity, 0, Device.best());
  }

  public Predictor predictor(int capacity, int threads, Device device) {
    Objects.requireNonNull(device, "device");
    return predictor(capacity, threads, device, Precision.FLOAT32);
  }

  /**
   * As {@link #predictor(int, int, Device)}, computing in a precision; inputs and outputs keep
   * their types.
   *
   * @param threads of the pool to use; 0 for all
   * @throws CremaException if the device can't compute so: the CPU in float16
   */
  public Predictor predictor(int capacity, int threads, Device device, Precision precision) {
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(precision, "precision");
    return new Predictor(this, capacity, threads, device, precision);
  }

  /**
   * The output for one example, of a model with one input and one output. May be called from many
   * threads at once; allocates only its result.
   *
   * @throws IllegalStateException if the model is closed
   */
  public float[] predict(float... example) {
    Objects.requireNonNull(example, "example");
    requireOpen();
    Predictor predictor = single.borrow();
    try {
      float[] result = new float[predictor.outputElements()];
      predictor.predict(example, result);
      return result;
    } finally {
      single.giveBack(predictor);
    }
  }

  /** The outputs for several examples; as {@link #predict(float...)}. */
  public float[][] predict(float[][] examples) {
    Objects.requireNonNull(examples, "examples");
    requireOpen();
    Predictor predictor = batches.borrow();
    try {
      return predictor.predict(examples);
    } finally {
      batches.giveBack(predictor);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This model is closed");
    }
  }

  /** Gives back all memory, once running predictions have ended. May be called twice. */
  @Override
  public void close() {
    closed = true;
    single.close();
    batches.close();
    parameters.close();
    state.close();
    masks.close();
  }
}
