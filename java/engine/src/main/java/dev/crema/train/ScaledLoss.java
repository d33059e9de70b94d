package dev.crema.train;

import dev.crema.graph.Assign;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.op.Add;
import dev.crema.op.GreaterEqual;
import dev.crema.op.LessEqual;
import dev.crema.op.Maximum;
import dev.crema.op.Mul;
import dev.crema.op.Reciprocal;
import dev.crema.op.Where;
import java.nio.FloatBuffer;

/**
 * {@link LossScaling} within the graph of a step: what changes from step to step is kept in memory
 * that only the device writes. Floats: the scale, the steps since it changed, two spare; then, as
 * an update reads them beside its learning rate, one spare, the updates that were not skipped, and
 * 1 − β₁ᵗ and 1 − β₂ᵗ after so many.
 */
final class ScaledLoss implements AutoCloseable {
  static final Storage STORAGE = new Storage("loss_scaling", ElementType.FLOAT32);
  private static final int SCALE = 0;
  private static final int GOOD_STEPS = 1;
  private static final int UPDATES = 4;
  private static final int FLOATS = 8;
  private static final float LEAST_SCALE = 1;

  private final LossScaling settings;
  private Buffer memory; // null until a plan is made of the graph
  private Node finite;
  private Node updates;

  ScaledLoss(LossScaling settings) {
    this.settings = settings;
  }

  private FloatBuffer floats() {
    return memory.borrow(0, 4 * FLOATS).asFloatBuffer();
  }

  Buffer memory() {
    if (memory == null) {
      memory = Buffer.allocate(4 * FLOATS, "The loss's scale");
      floats().put(SCALE, (float) settings.initialScale());
    }
    return memory;
  }

  /** The present scale. */
  float scale() {
    return floats().get(SCALE);
  }

  /** Updates that were not skipped. */
  long updates() {
    return (long) floats().get(UPDATES + 1);
  }

  /** What flows back into the loss. */
  Node seed(Graph graph) {
    return variable(graph, SCALE);
  }

  private static Node variable(Graph graph, int at) {
    return graph.variable("loss_scaling", STORAGE, at, TensorType.of());
  }

  /**
   * Adds to an update what follows from its gradients: the next scale, and the number of updates.
   *
   * @param norm of all gradients, still scaled: finite if all of them are
   * @return what gradients are to be multiplied by; 0 if one is not finite: what lies between the
   *     tensors stays 0
   */
  Node next(Graph graph, Node norm, double beta1, double beta2) {
    finite = norm.then(new LessEqual(), graph.constant(Float.MAX_VALUE));
    Node scale = variable(graph, SCALE);
    Node good = variable(graph, GOOD_STEPS).then(new Add(), graph.constant(1));
    Node grows = good.then(new GreaterEqual(), graph.constant(settings.growthInterval()));
    Node larger = scale.then(new Mul(), graph.constant((float) settings.growthFactor()));
    Node smaller =
        scale
            .then(new Mul(), graph.constant((float) settings.backoffFactor()))
            .then(new Maximum(), graph.constant(LEAST_SCALE));
    Node inverse = where(finite, scale.then(new Reciprocal()), graph.constant(0));
    Node zero = graph.constant(0);
    Node nextScale = where(finite, where(grows, larger, scale), smaller);
    Node nextGood = where(finite, where(grows, zero, good), zero);
    Node before = graph.variable("updates", STORAGE, UPDATES, TensorType.of(4));
    // 1 - b^(t+1) = b (1 - b^t) + (1 - b): errors don't grow, as b is below 1.
    Node one =
        before
            .then(new Mul(), vector(graph, 0, 1, beta1, beta2))
            .then(new Add(), vector(graph, 0, 1, 1 - beta1, 1 - beta2));
    updates = where(finite, one, before);
    graph.apply(new Assign(false), variable(graph, SCALE), nextScale);
    graph.apply(new Assign(false), variable(graph, GOOD_STEPS), nextGood);
    graph.apply(new Assign(false), before, updates);
    return inverse;
  }

  /**
   * A value, or NaN if a gradient is not finite, by which {@code UpdateOp} leaves the step out;
   * after {@link #next}.
   */
  Node gated(Node value) {
    return where(finite, value, value.graph().constant(Float.NaN));
  }

  /** What an update reads: the learning rate that was set, the rest by the updates so far. */
  Node hyper(Graph graph, Node set) {
    return where(vector(graph, 1, 0, 0, 0), set, updates);
  }

  private static Node vector(Graph graph, double... values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return graph.add(Constant.vector(floats));
  }

  private static Node where(Node condition, Node yes, Node no) {
    return condition.then(new Where(), yes, no);
  }

  @Override
  public void close() {
    if (memory != null) {
      memory.close();
    }
  }
}
