package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Order;
import dev.crema.data.Prefetcher;
import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Storage;
import dev.crema.memory.ElementType;
import dev.crema.memory.Exclusive;
import dev.crema.nn.Model;
import dev.crema.nn.ModelGraph;
import dev.crema.nn.Topology;
import dev.crema.plan.Plan;
import dev.crema.plan.Prepared;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures a model on datasets: each of its outputs, and the weighted sum of their losses. The
 * caller closes it; one thread at a time.
 *
 * <p>Kernels that are mostly zero when it is made are multiplied without their zeros where that was
 * measured faster, as by a {@link dev.crema.nn.Predictor}: a weight of 0 then adds nothing, also
 * where what it would be multiplied by is infinite or NaN.
 */
public final class Evaluator implements AutoCloseable {
  /** Examples at once: enough for the kernels, little for the memory. */
  static final int BATCH = 256;

  private static final int PREFETCHED = 3;

  private final Model model;
  private final List<Head> heads;
  private final int capacity;
  private final Device device;
  private final Plan plan;
  private final Exclusive use;
  private final FloatBuffer total;
  private final List<Output> outputs = new ArrayList<>();

  /** An output in the plan. */
  private record Output(Objective.Part part, FloatBuffer loss, FloatBuffer scores) {
    boolean sparse() {
      return part.head().target().type() == ElementType.INT32;
    }
  }

  /**
   * Of a model with one output.
   *
   * @param target of the data that it will be given
   * @param capacity examples at once
   * @param threads of the pool; 0 for all
   * @throws CremaException if the loss cannot compare the model's output with the target, or there
   *     are several outputs: {@link #of} makes an evaluator for those
   */
  public Evaluator(
      Model model, Loss loss, Dataset.Slot target, int capacity, int threads, Device device) {
    this(model, onlyHead(model, loss, target), capacity, threads, device);
  }

  Evaluator(Model model, List<Head> heads, int capacity, int threads, Device device) {
    this.model = model;
    this.heads = heads;
    this.capacity = capacity;
    this.device = device == null ? Device.best() : device;
    Graph graph = new Graph();
    ModelGraph built = model.build(graph, false);
    Objective objective = Objective.build(built, heads);
    this.plan =
        Plan.of(graph)
            .outputs(objective.outputs(objective.total()))
            .capacity(capacity)
            .threads(threads)
            .device(this.device)
            .storage(Storage.PARAMETERS, model.parameters())
            .storage(Storage.STATE, model.state())
            .passes(model.predictionPasses(capacity, threads, this.device))
            .prepared(new Prepared())
            .build();
    this.use = new Exclusive("This evaluator", plan::close);
    this.total = plan.output(objective.total()).asFloatBuffer();
    for (Objective.Part part : objective.parts()) {
      FloatBuffer loss =
          heads.size() == 1 ? total : plan.output(part.nodes().loss()).asFloatBuffer();
      outputs.add(new Output(part, loss, plan.output(part.nodes().scores()).asFloatBuffer()));
    }
  }

  private static List<Head> onlyHead(Model model, Loss loss, Dataset.Slot target) {
    List<String> outputs = model.topology().outputs();
    if (outputs.size() > 1) {
      throw new CremaException(
          "This evaluator compares one output, but the model has "
              + outputs
              + ". Use Evaluator.of(model, data), of data with a target for each.");
    }
    requireTarget(target == null);
    return List.of(new Head(outputs.get(0), 0, loss, 1, null, target));
  }

  private static void requireTarget(boolean missing) {
    if (missing) {
      throw new CremaException("The data has no target to compare with");
    }
  }

  /**
   * An evaluator with the losses that the model was trained with, or else those that fit the data,
   * on all threads of the best device. Of a model with several outputs those that were trained.
   */
  public static Evaluator of(Model model, Dataset data) {
    return of(model, data, 0, Device.best());
  }

  /** As {@link #of(Model, Dataset)}, on some threads of a device. */
  public static Evaluator of(Model model, Dataset data, int threads, Device device) {
    requireTarget(data.targets().isEmpty());
    return new Evaluator(model, TrainedLosses.heads(model, data), BATCH, threads, device);
  }

  /**
   * Runs the whole dataset through the model, in order.
   *
   * @throws CremaException if it does not fit the model, or has no examples
   * @throws IllegalStateException if this is closed or another thread uses it
   */
  public Evaluation evaluate(Dataset data) {
    use.enter();
    try {
      return measure(data);
    } finally {
      use.leave();
    }
  }

  private Evaluation measure(Dataset data) {
    requireTarget(data.targets().isEmpty());
    int[] places = Binding.of(model, heads, data);
    int inputs = data.inputs().size();
    List<Measures> measures = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      int target = places[inputs + i] - inputs;
      Dataset.Slot slot = data.targets().get(target);
      requireSame(heads.get(i).target(), slot);
      measures.add(Measures.of(outputs.get(i).part(), slot, data.classNames(target)));
    }
    double sum = 0;
    double[] sums = new double[outputs.size()];
    long examples = 0;
    try (BatchMemory memory = new BatchMemory(device, capacity);
        Prefetcher batches =
            new Prefetcher(data, capacity, PREFETCHED, memory::allocate, memory::send)) {
      batches.start(Order.sequential());
      for (Prefetcher.Batch b = batches.next(); b != null; b = batches.next()) {
        bind(b.buffers(), places, memory);
        plan.run(b.rows());
        sum += (double) total.get(0) * b.rows();
        examples += b.rows();
        for (int i = 0; i < outputs.size(); i++) {
          Output o = outputs.get(i);
          sums[i] += (double) o.loss.get(0) * b.rows();
          ByteBuffer target = b.buffers().get(places[inputs + i]);
          measures.get(i).add(o.scores, target, o.sparse(), b.rows());
        }
        batches.recycle(b);
      }
    }
    if (examples == 0) {
      throw new CremaException("There are no examples to evaluate on");
    }
    return evaluation(measures, sum, sums, examples);
  }

  private void bind(List<ByteBuffer> buffers, int[] places, BatchMemory memory) {
    List<Topology.InputSpec> inputs = model.topology().inputs();
    for (int i = 0; i < places.length; i++) {
      boolean input = i < inputs.size();
      String name = input ? inputs.get(i).name() : outputs.get(i - inputs.size()).part().input();
      plan.bindInput(name, memory.behind(buffers.get(places[i])));
    }
  }

  private Evaluation evaluation(List<Measures> measures, double sum, double[] sums, long examples) {
    if (outputs.size() == 1) {
      return measures.get(0).evaluation(sum / examples, examples);
    }
    Map<String, Evaluation> each = new LinkedHashMap<>();
    for (int i = 0; i < sums.length; i++) {
      String name = heads.get(i).output();
      each.put(name, measures.get(i).evaluation(sums[i] / examples, examples));
    }
    return new Evaluation(sum / examples, examples, each);
  }

  private static void requireSame(Dataset.Slot expected, Dataset.Slot given) {
    if (given.type() != expected.type() || given.width() != expected.width()) {
      throw new CremaException(
          "This evaluator compares with targets "
              + expected.type()
              + " "
              + expected.shape()
              + ", the data has "
              + given.type()
              + " "
              + given.shape());
    }
  }

  /** Closes it; during an evaluation, when that ends. */
  @Override
  public void close() {
    use.close();
  }
}
