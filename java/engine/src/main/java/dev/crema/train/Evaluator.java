package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Order;
import dev.crema.data.Prefetcher;
import dev.crema.device.Device;
import dev.crema.eval.ClassificationMetrics;
import dev.crema.eval.RegressionMetrics;
import dev.crema.eval.Scores;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.memory.ElementType;
import dev.crema.nn.Model;
import dev.crema.nn.ModelGraph;
import dev.crema.op.Softmax;
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
  private final FloatBuffer lossValue;
  private final FloatBuffer output;
  private final int outputs;
  private final Scores kind;

  /**
   * @param capacity examples at once
   * @param threads of the pool; 0 for all
   */
  public Evaluator(Model model, Loss loss, int capacity, int threads, Device device) {
    this.model = model;
    this.loss = loss;
    this.capacity = capacity;
    Graph graph = new Graph();
    ModelGraph built = model.build(graph, false);
    Node out = built.outputs().get(0);
    Node target = graph.input("target", loss.target(out.type()));
    Loss.Nodes nodes = loss.build(out, target, null);
    this.plan =
        Plan.of(graph)
            .outputs(nodes.loss(), out)
            .capacity(capacity)
            .threads(threads)
            .device(device)
            .storage(Storage.PARAMETERS, model.parameters())
            .storage(Storage.STATE, model.state())
            .build();
    this.lossValue = plan.output(nodes.loss()).asFloatBuffer();
    this.output = plan.output(out).asFloatBuffer();
    this.outputs = Math.toIntExact(out.type().elements().perExample());
    this.kind = out.op() instanceof Softmax ? Scores.PROBABILITIES : Scores.LOGITS;
  }

  /** An evaluator with the loss that fits the data, on all threads of the best device. */
  public static Evaluator of(Model model, Dataset data) {
    return of(model, data, 0, Device.best());
  }

  /** An evaluator with the loss that fits the data. */
  public static Evaluator of(Model model, Dataset data, int threads, Device device) {
    Node out = model.build(new Graph(), false).outputs().get(0);
    return new Evaluator(model, Loss.infer(out, data.target()), BATCH, threads, device);
  }

  /** Runs the whole dataset through the model, in order. */
  public Evaluation evaluate(Dataset data) {
    Fit.check(model, data);
    if (data.target() == null) {
      throw new CremaException("The data has no target to compare with");
    }
    boolean sparse = data.target().type() == ElementType.INT32;
    ClassificationMetrics classification = null;
    RegressionMetrics regression = null;
    if (loss.isClassification()) {
      ClassificationMetrics.Builder builder = ClassificationMetrics.builder(outputs).scores(kind);
      if (data.classNames().size() == outputs) {
        builder.classNames(data.classNames());
      }
      classification = builder.build();
    } else {
      regression = new RegressionMetrics();
    }
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
        ByteBuffer target = buffers.get(inputs);
        plan.bindInput("target", memory.behind(target));
        plan.run(b.rows());
        sum += (double) lossValue.get(0) * b.rows();
        examples += b.rows();
        if (regression != null) {
          regression.add(output, target.asFloatBuffer(), b.rows());
        } else if (sparse) {
          classification.add(output, target.asIntBuffer(), b.rows());
        } else {
          classification.add(output, target.asFloatBuffer(), b.rows());
        }
        batches.recycle(b);
      }
    }
    return new Evaluation(
        examples == 0 ? Double.NaN : sum / examples,
        examples,
        classification == null ? null : classification.report(),
        null,
        regression == null ? null : regression.report());
  }

  @Override
  public void close() {
    plan.close();
  }
}
