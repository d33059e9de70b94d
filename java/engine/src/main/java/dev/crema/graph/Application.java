package dev.crema.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** An op applied to inputs at one place of a graph. Immutable. */
public final class Application {
  private final Graph graph;
  private final int id;
  private final Op op;
  private final List<Node> inputs;
  private final List<Node> outputs;
  private final String layer;

  Application(Graph graph, int id, Op op, List<Node> inputs, List<TensorType> types, String layer) {
    this.graph = graph;
    this.id = id;
    this.op = op;
    this.inputs = Collections.unmodifiableList(new ArrayList<>(inputs)); // may hold null
    this.layer = layer;
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      nodes.add(new Node(this, i, types.get(i)));
    }
    this.outputs = List.copyOf(nodes);
  }

  public Graph graph() {
    return graph;
  }

  /** Its position in the graph's order of execution. */
  public int id() {
    return id;
  }

  public Op op() {
    return op;
  }

  /** The inputs; null where an optional one is absent. */
  public List<Node> inputs() {
    return inputs;
  }

  public Node input(int index) {
    return inputs.get(index);
  }

  public List<Node> outputs() {
    return outputs;
  }

  public Node output(int index) {
    return outputs.get(index);
  }

  /** The layer that made it, for messages; empty outside layers. */
  public String layer() {
    return layer;
  }

  @Override
  public String toString() {
    return op.getClass().getSimpleName() + (layer.isEmpty() ? "" : " in " + layer);
  }
}
