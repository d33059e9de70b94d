package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Order;
import dev.crema.data.Prefetcher;
import dev.crema.device.Device;
import dev.crema.eval.Scores;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.memory.Exclusive;
import dev.crema.nn.Model;
import dev.crema.nn.ModelGraph;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;

/** Measures a model on datasets. The caller closes it; one thread at a time. */
public final class Evaluator implements AutoCloseable {
  /** Examples at once: enough for the kernels, little for the memory. */
  static final int BATCH = 256;

  private static final int PREFETCHED = 3;

  private final Model model;
  private final Loss loss;
  private final int capacity;
  private final Plan plan;
  private final Exclusive use;
  private final FloatBuffer lossValue;
  private final FloatBuffer scores;
  private final TensorType type;
  private final Scores kind;
  private final Dataset.Slot target;

  /**
   * @param target of the data that it will be given
   * @param capacity examples at once
   * @param threads of the pool; 0 for all
   * @throws CremaException if the loss cannot compare the model's output with the target
   */
  public Evaluator(
      Model model, Loss loss, Dataset.Slot target, int capacity, int threads, Device device) {
    requireTarget(target);
    this.model = model;
    this.loss = loss;
    this.capacity = capacity;
    this.target = target;
    Graph graph = new Graph();
    ModelGraph built = model.build(graph, false);
    Node out = built.outputs().get(0);
    Node targets = graph.input("target", loss.target(out.type(), target));
    Loss.Nodes nodes = loss.build(out, targets, null);
    this.plan =
        Plan.of(graph)
            .outputs(nodes.loss(), nodes.scores())
            .capacity(capacity)
            .threads(threads)
            .device(device)
            .storage(Storage.PARAMETERS, model.parameters())
            .storage(Storage.STATE, model.state())
            .build();
    this.use = new Exclusive("This evaluator", plan::close);
    this.lossValue = plan.output(nodes.loss()).asFloatBuffer();
    this.scores = plan.output(nodes.scores()).asFloatBuffer();
    this.type = nodes.scores().type();
    this.kind = nodes.kind();
  }

  private static void requireTarget(Dataset.Slot target) {
    if (target == null) {
      throw new CremaException("The data has no target to compare with");
    }
  }

  /**
   * An evaluator with the loss that the model was trained with, or else the one that fits the data,
   * on all threads of the best device.
   */
  public static Evaluator of(Model model, Dataset data) {
    return of(model, data, 0, Device.best());
  }

  /** An evaluator with the loss that the model was trained with, or else one that fits the data. */
  public static Evaluator of(Model model, Dataset data, int threads, Device device) {
    requireTarget(data.target());
    Node out = model.build(new Graph(), false).outputs().get(0);
    Loss loss = trainedWith(model, out, data.target());
    return new Evaluator(
        model,
        loss == null ? Loss.infer(out, data.target()) : loss,
        data.target(),
        BATCH,
        threads,
        device);
  }

  /** The loss in the model's file; null if there is none that is known here and fits the data. */
  private static Loss trainedWith(Model model, Node out, Dataset.Slot target) {
    String name = model.metadata().path(Fit.LOSS).asText("");
    if (name.isEmpty()) {
      return null;
    }
    try {
      Loss loss = Losses.of(name);
      loss.target(out.type(), target);
      return loss;
    } catch (IllegalArgumentException | CremaException e) {
      return null;
    }
  }

  /**
   * Runs the whole dataset through the model, in order.
   *
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
    Fit.check(model, data);
    requireTarget(data.target());
    if (data.target().type() != target.type() || data.target().width() != target.width()) {
      throw new CremaException(
          "This evaluator compares with targets "
              + target.type()
              + " "
              + target.shape()
              + ", the data has "
              + data.target().type()
              + " "
              + data.target().shape());
    }
    boolean sparse = target.type() == ElementType.INT32;
    Measures measures = Measures.of(loss.answers(), type, kind, data);
    double sum = 0;
    long examples = 0;
    try (BatchMemory memory = new BatchMemory();
        Prefetcher batches = new Prefetcher(data, capacity, PREFETCHED, memory::allocate)) {
      batches.start(Order.sequential());
      for (Prefetcher.Batch b = batches.next(); b != null; b = batches.next()) {
        List<ByteBuffer> buffers = b.buffers();
        int inputs = buffers.size() - 1;
        for (int i = 0; i < inputs; i++) {
          plan.bindInput(model.topology().inputs().get(i).name(), memory.behind(buffers.get(i)));
        }
        plan.bindInput("target", memory.behind(buffers.get(inputs)));
        plan.run(b.rows());
        sum += (double) lossValue.get(0) * b.rows();
        examples += b.rows();
        measures.add(scores, buffers.get(inputs), sparse, b.rows());
        batches.recycle(b);
      }
    }
    return measures.evaluation(examples == 0 ? Double.NaN : sum / examples, examples);
  }

  /** Closes it; during an evaluation, when that ends. */
  @Override
  public void close() {
    use.close();
  }
}
