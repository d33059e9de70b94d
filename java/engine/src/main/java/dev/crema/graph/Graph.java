package dev.crema.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Ops applied to one another, in the order in which they will run. Shapes and types are checked as
 * each op is added. Knows no device and no kernel. Not thread-safe while it is built.
 */
public final class Graph {
  private final List<Application> applications = new ArrayList<>();
  private final Deque<String> layers = new ArrayDeque<>();

  /** Everything in the graph, in order of execution. */
  public List<Application> applications() {
    return Collections.unmodifiableList(applications);
  }

  /** A tensor given anew at each run. */
  public Node input(String name, TensorType type) {
    return add(new Input(name, type));
  }

  public Node variable(String name, Storage storage, long offset, TensorType type) {
    return add(new Variable(name, storage, offset, type));
  }

  /** A scalar that never changes. */
  public Node constant(float value) {
    return add(Constant.scalar(value));
  }

  /**
   * Applies an op.
   *
   * @param inputs null for an absent optional input
   * @return its first output
   * @throws ShapeException if the inputs do not fit; the message names the layer
   */
  public Node add(Op op, Node... inputs) {
    return apply(op, inputs).output(0);
  }

  /** As {@link #add}, for ops with several outputs or none. */
  public Application apply(Op op, Node... inputs) {
    List<Node> list = Node.list(inputs);
    List<TensorType> types = new ArrayList<>();
    for (Node node : list) {
      if (node != null && node.graph() != this) {
        throw new ShapeException(where(op) + "an input belongs to another graph");
      }
      types.add(node == null ? null : node.type());
    }
    List<TensorType> outputs;
    try {
      requireThere(op, types);
      outputs = op.infer(new InputTypes(types));
    } catch (ShapeException e) {
      throw new ShapeException(where(op) + e.getMessage() + from(list));
    } catch (ArithmeticException e) {
      throw new ShapeException(
          where(op) + "its sizes are beyond 2^63 for inputs " + types + from(list));
    }
    Application application =
        new Application(this, applications.size(), op, list, outputs, layer());
    applications.add(application);
    return application;
  }

  private static void requireThere(Op op, List<TensorType> types) {
    for (int i = 0; i < types.size(); i++) {
      if (types.get(i) == null && !op.mayLack(i)) {
        throw new ShapeException("input " + i + " is missing (null); it is not optional");
      }
    }
  }

  /** Ops added until {@link #endLayer} belong to that layer, nested in the present one. */
  public void beginLayer(String name) {
    layers.addLast(name);
  }

  public void endLayer() {
    layers.removeLast();
  }

  /** Path of the present layer, for example {@code encoder/dense_2}; empty outside layers. */
  public String layer() {
    return String.join("/", layers);
  }

  private String where(Op op) {
    String name = op.getClass().getSimpleName();
    return (layers.isEmpty() ? name : layer() + " (" + name + ")") + ": ";
  }

  private static String from(List<Node> inputs) {
    String layers =
        inputs.stream()
            .filter(n -> n != null && !n.layer().isEmpty() && !(n.op() instanceof Variable))
            .map(n -> n.layer() + " " + n.type())
            .distinct()
            .collect(Collectors.joining(", "));
    return layers.isEmpty() ? "" : " (input from " + layers + ")";
  }
}
