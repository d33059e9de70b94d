package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Constant;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.op.Add;
import dev.crema.op.Cast;
import dev.crema.op.ReduceSum;
import dev.crema.op.Reshape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reverse-mode differentiation (Linnainmaa 1970): adds to a graph the ops that compute the gradient
 * of a scalar in given nodes. Each op says in its own file how its gradient flows.
 */
public final class Autodiff implements Gradients {
  private final Set<Node> needed = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<Node, Node> gradients = new IdentityHashMap<>();

  private Autodiff() {}

  /**
   * Gradients of {@code loss} in {@code wrt}.
   *
   * @param loss float32 of rank 0
   * @return a gradient for each node that the loss depends on, of the node's own type
   */
  public static Map<Node, Node> gradients(Node loss, List<Node> wrt) {
    if (!loss.type().equals(TensorType.of())) {
      throw new ShapeException(
          "only a scalar has a gradient here, but the loss is "
              + loss.type()
              + ". Reduce it, for example by its mean.");
    }
    return gradients(loss, loss.graph().add(Constant.scalar(1)), wrt);
  }

  /** As {@link #gradients(Node, List)}, of any output when {@code seed} flows back into it. */
  public static Map<Node, Node> gradients(Node output, Node seed, List<Node> wrt) {
    return gradients(List.of(output), List.of(seed), wrt);
  }

  /** As {@link #gradients(Node, Node, List)}, of several outputs of one graph together. */
  public static Map<Node, Node> gradients(List<Node> outputs, List<Node> seeds, List<Node> wrt) {
    if (outputs.isEmpty() || outputs.size() != seeds.size()) {
      throw new IllegalArgumentException(
          "Gradients need outputs and a seed for each, got " + outputs + " and " + seeds);
    }
    Autodiff a = new Autodiff();
    List<Application> forward = new ArrayList<>(outputs.get(0).graph().applications());
    a.markNeeded(forward, wrt);
    for (int i = 0; i < outputs.size(); i++) {
      a.gradients.merge(outputs.get(i), seeds.get(i), (x, y) -> x.then(new Add(), y));
    }
    for (int i = forward.size() - 1; i >= 0; i--) {
      a.backward(forward.get(i));
    }
    Map<Node, Node> result = new HashMap<>();
    for (Node x : wrt) {
      Node gradient = a.gradients.get(x);
      if (gradient != null) {
        result.put(x, gradient);
      }
    }
    return result;
  }

  private void markNeeded(List<Application> forward, List<Node> wrt) {
    Set<Node> targets = new HashSet<>(wrt);
    for (Application application : forward) {
      boolean need = application.inputs().stream().anyMatch(x -> x != null && needed.contains(x));
      for (Node y : application.outputs()) {
        if (need || targets.contains(y)) {
          needed.add(y);
        }
      }
    }
  }

  private void backward(Application y) {
    boolean flows = false;
    List<Node> dy = new ArrayList<>();
    for (Node output : y.outputs()) {
      Node gradient = gradients.get(output);
      dy.add(gradient);
      flows |= gradient != null;
    }
    boolean wanted = y.inputs().stream().anyMatch(this::needs);
    if (!flows || !wanted) {
      return;
    }
    Graph graph = y.graph();
    graph.beginLayer(y.layer().isEmpty() ? "gradient" : y.layer() + ".gradient");
    try {
      y.op().gradient(y, Collections.unmodifiableList(dy), this);
    } finally {
      graph.endLayer();
    }
  }

  @Override
  public boolean needs(Node x) {
    return x != null && needed.contains(x);
  }

  @Override
  public void add(Node x, Node gradient) {
    if (!needs(x)) {
      return;
    }
    Node fitted = cast(sumTo(gradient, x.type()), x.type().element());
    gradients.merge(x, fitted, (a, b) -> a.then(new Add(), b));
  }

  private static Node cast(Node gradient, ElementType element) {
    return gradient.type().element() == element ? gradient : gradient.then(new Cast(element));
  }

  /** Sums over the axes along which a node of type {@code target} was repeated. */
  private static Node sumTo(Node gradient, TensorType target) {
    TensorType type = gradient.type();
    if (type.sameDims(target)) {
      return gradient;
    }
    int missing = type.rank() - target.rank();
    List<Integer> axes = new ArrayList<>();
    for (int i = 0; i < type.rank(); i++) {
      boolean repeated =
          i < missing
              || (target.dim(i - missing).equals(Dim.of(1)) && !type.dim(i).equals(Dim.of(1)));
      if (repeated) {
        axes.add(i);
      }
    }
    Node sum = axes.isEmpty() ? gradient : gradient.then(new ReduceSum(axes, false));
    return sum.type().sameDims(target) ? sum : sum.then(new Reshape(target));
  }
}
