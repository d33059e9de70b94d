package dev.crema.graph;

import java.util.List;

/** A tensor in a graph: one output of one application of an op. Compared by identity. */
public final class Node {
  private final Application application;
  private final int index;
  private final TensorType type;

  Node(Application application, int index, TensorType type) {
    this.application = application;
    this.index = index;
    this.type = type;
  }

  public Graph graph() {
    return application.graph();
  }

  public Application application() {
    return application;
  }

  public Op op() {
    return application.op();
  }

  /** Which output of its application it is. */
  public int index() {
    return index;
  }

  public TensorType type() {
    return type;
  }

  public String layer() {
    return application.layer();
  }

  /** Another output of the same application. */
  public Node output(int i) {
    return application.output(i);
  }

  /** Applies {@code op} to this node and {@code more}. */
  public Node then(Op op, Node... more) {
    Node[] inputs = new Node[more.length + 1];
    inputs[0] = this;
    System.arraycopy(more, 0, inputs, 1, more.length);
    return graph().add(op, inputs);
  }

  /** Several nodes as a list, which may hold null for absent optional inputs. */
  static List<Node> list(Node... nodes) {
    return java.util.Arrays.asList(nodes);
  }

  @Override
  public String toString() {
    return application + " " + type;
  }
}
