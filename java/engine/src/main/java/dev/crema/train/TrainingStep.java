package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.memory.Buffer;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.nn.ModelGraph;
import dev.crema.nn.Parameter;
import dev.crema.nn.Topology;
import dev.crema.pass.Autodiff;
import dev.crema.pass.Passes;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One step of a training as one plan: forward, loss, backward, clipping, update that keeps the
 * masks of pruned parameters. A run is one call into native code and allocates nothing.
 */
final class TrainingStep implements AutoCloseable {
  /** Forward and backward; gradients replace those that were there. */
  private static final long FIRST = 1;

  /** Forward and backward; gradients add to those that are there. */
  private static final long NEXT = 2;

  /** Clipping and the update of the parameters. */
  private static final long UPDATE = 4;

  private final Trainer trainer;
  private final Model model;
  private final Device device;
  private final Plan plan;
  private final Hyper hyper;
  private final Buffer gradients;
  private final List<Buffer> moments = new ArrayList<>();
  private final List<String> inputNames = new ArrayList<>();
  private final int momentCount;
  private final ScaledLoss scaled; // null: the loss is not scaled
  private final FloatBuffer lossValue;
  private final List<HeadResult> outputs = new ArrayList<>();
  private long steps;
  private long batches;
  private int accumulated;

  TrainingStep(Trainer trainer, int batchSize, List<Head> heads) {
    this.trainer = trainer;
    this.model = trainer.model;
    this.device = trainer.device == null ? Device.best() : trainer.device;
    Graph graph = new Graph();
    ModelGraph built =
        trainer.rounding == null
            ? model.build(graph, true)
            : model.build(graph, true, trainer.rounding);
    Objective objective = Objective.build(built, heads);
    Node total = Penalties.add(withTerm(objective, built), built);
    Map<Application, Long> sections = new IdentityHashMap<>();
    List<Parameter> trained = trained(built);
    Ranges ranges = Ranges.of(trained, trainer);
    long bytes = Math.max(4, model.parameters().byteSize());
    LossScaling scaling = trainer.lossScaling();
    this.scaled = scaling == null ? null : new ScaledLoss(scaling);
    this.momentCount = trainer.optimizer.op(0, List.of()).moments();
    this.hyper =
        new Hyper(
            ranges.spans().stream().mapToDouble(Ranges.Span::learningRateFactor).toArray(),
            trainer.optimizer.beta1(),
            trainer.optimizer.beta2(),
            trainer.seed);
    for (Topology.InputSpec input : model.topology().inputs()) {
      inputNames.add(input.name());
    }
    // Where no gradient is ever added to another, each is computed where it is stored, or with the
    // update.
    long batch = trainer.accumulate > 1 ? FIRST | NEXT : FIRST;
    long last = trainer.accumulate > 1 ? UPDATE : FIRST;
    Buffer flat = null;
    Plan made;
    try {
      backward(graph, built, total, trained, sections);
      int forward = graph.applications().size();
      new ParameterUpdate(trainer, momentCount, scaled).add(graph, ranges);
      flat = Buffer.allocate(bytes, "The gradients");
      Plan.Builder builder =
          Plan.of(graph)
              .outputs(objective.outputs(total))
              .capacity(batchSize)
              .threads(trainer.threads)
              .precision(trainer.precision)
              .device(device)
              .storage(Storage.PARAMETERS, model.parameters())
              .storage(Storage.STATE, model.state())
              .storage(Storage.GRADIENTS, flat)
              .storage(Storage.HYPER, hyper.buffer())
              .sections(a -> sections.getOrDefault(a, a.id() < forward ? batch : last));
      if (!device.hasOwnMemory()) {
        builder.passes(Passes.training());
      }
      for (int i = 0; i < momentCount; i++) {
        moments.add(Buffer.allocate(bytes, "The optimiser's moment " + i));
        builder.storage(Storage.moment(i), moments.get(i));
      }
      if (scaled != null) {
        builder.storage(ScaledLoss.STORAGE, scaled.memory());
      }
      if (!model.masks().isEmpty()) {
        builder.storage(Storage.MASKS, model.masks().memory());
      }
      if (trainer.term != null) {
        trainer.term.storages().forEach(builder::storage);
      }
      made = builder.build();
    } catch (RuntimeException | Error e) {
      release(flat);
      throw e;
    }
    this.gradients = flat;
    this.plan = made;
    this.lossValue = plan.output(total).asFloatBuffer();
    for (Objective.Part part : objective.parts()) {
      Node own = heads.size() == 1 ? total : part.nodes().loss();
      outputs.add(new HeadResult(plan, part, plan.output(own).asFloatBuffer()));
    }
  }

  private Node withTerm(Objective objective, ModelGraph built) {
    if (trainer.term == null) {
      return objective.total();
    }
    Map<Integer, BuiltIn.Output> answers = new LinkedHashMap<>();
    for (Objective.Part part : objective.parts()) {
      answers.put(part.head().index(), part.head().loss().answers());
    }
    return trainer.term.build(built, objective.total(), answers);
  }

  private List<Parameter> trained(ModelGraph built) {
    List<Parameter> result = new ArrayList<>();
    for (Parameter p : model.table().all()) {
      String layer = p.path().substring(0, p.path().lastIndexOf('/'));
      if (p.isTrained() && !trainer.frozen.contains(layer)) {
        result.add(p);
      }
    }
    trainer.frozen.forEach(layer -> requireLayer(layer, built, "to freeze"));
    Set<String> grouped = new HashSet<>();
    for (ParameterGroup group : trainer.groups) {
      for (String layer : group.layers()) {
        requireLayer(layer, built, "for a parameter group");
        if (!grouped.add(layer)) {
          throw new CremaException(
              "Layer '" + layer + "' is in parameter groups twice; name it once");
        }
      }
    }
    if (result.isEmpty()) {
      throw new CremaException("This model has no parameters that could be trained");
    }
    return result;
  }

  private static void requireLayer(String layer, ModelGraph built, String what) {
    if (!built.values().containsKey(layer)) {
      throw new CremaException(
          "There is no layer '" + layer + "' " + what + "; there are " + built.values().keySet());
    }
  }

  /** Gradients of the loss, each stored where its parameter's gradient lies. */
  private void backward(
      Graph graph,
      ModelGraph built,
      Node total,
      List<Parameter> trained,
      Map<Application, Long> sections) {
    Map<Parameter, Node> variables = new LinkedHashMap<>();
    trained.forEach(p -> variables.put(p, built.variables().get(p.path())));
    List<Node> wrt = List.copyOf(variables.values());
    Map<Node, Node> flows =
        scaled == null
            ? Autodiff.gradients(total, wrt)
            : Autodiff.gradients(total, scaled.seed(graph), wrt);
    variables.forEach(
        (p, variable) -> {
          Node flow = flows.get(variable);
          if (flow == null) {
            return; // the loss does not depend on it; its gradient stays zero
          }
          Node place =
              graph.variable(p.path() + ".gradient", Storage.GRADIENTS, p.offset(), p.type());
          sections.put(graph.apply(new Assign(false), place, flow), FIRST);
          if (trainer.accumulate > 1) {
            sections.put(graph.apply(new Assign(true), place, flow), NEXT);
          }
        });
  }

  /** The outputs that it trains. */
  List<HeadResult> outputs() {
    return outputs;
  }

  Device device() {
    return device;
  }

  List<Buffer> moments() {
    return moments;
  }

  /** What the loss is scaled by; null if it is not. */
  ScaledLoss scaled() {
    return scaled;
  }

  /** Updates so far, skipped ones too. */
  long steps() {
    return steps;
  }

  /** Batches so far, which random numbers are drawn by. */
  long batches() {
    return batches;
  }

  /** Goes on from there. */
  void resume(long atStep, long atBatch) {
    steps = atStep;
    batches = atBatch;
  }

  Plan plan() {
    return plan;
  }

  /** Reads input {@code i} (targets come after the inputs) from this memory from now on. */
  void bind(int i, Buffer buffer) {
    if (i < inputNames.size()) {
      plan.bindInput(inputNames.get(i), buffer);
    } else {
      outputs.get(i - inputNames.size()).bind(plan, buffer);
    }
  }

  /**
   * Runs a step.
   *
   * @param update whether the parameters change now, or the gradients wait for the next batch's,
   *     where they may
   * @return the batch's loss
   * @throws dev.crema.device.KernelException if values in the batch are not what the loss or a
   *     layer allows; nothing was updated, and the gradients that waited are gone
   */
  float run(int rows, double learningRate, boolean update) {
    if (!update && trainer.accumulate == 1) {
      throw new IllegalArgumentException("Gradients of one batch do not wait for another's");
    }
    long mask = accumulated == 0 ? FIRST : NEXT;
    long before = steps;
    accumulated++;
    hyper.batch(batches);
    if (update) {
      mask |= UPDATE;
      prepareUpdate(learningRate);
    }
    try {
      plan.run(rows, mask);
    } catch (RuntimeException e) {
      steps = before;
      accumulated = 0;
      throw e;
    }
    batches++;
    return lossValue.get(0);
  }

  /** Whether the gradients of the next batch are the last that an update waits for. */
  boolean isUpdateDue() {
    return accumulated + 1 >= trainer.accumulate;
  }

  /** Updates the parameters by the gradients that wait, if some do. */
  void flush(double learningRate) {
    if (accumulated > 0) {
      prepareUpdate(learningRate);
      plan.run(0, UPDATE);
    }
  }

  private void prepareUpdate(double learningRate) {
    hyper.update(steps, learningRate, 1.0 / accumulated);
    accumulated = 0;
    steps++;
  }

  @Override
  public void close() {
    plan.close();
    release(gradients);
  }

  private void release(Buffer flat) {
    if (flat != null) {
      flat.close();
    }
    moments.forEach(Buffer::close);
    if (scaled != null) {
      scaled.close();
    }
    hyper.close();
  }
}
