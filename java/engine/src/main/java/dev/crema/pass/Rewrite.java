package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/** A new graph under construction, and where each node of the old one went. */
public final class Rewrite {
  private final Computation from;
  private final Graph graph = new Graph();
  private final Map<Node, Node> nodes = new IdentityHashMap<>();
  private final Map<Application, Long> sections = new IdentityHashMap<>();

  Rewrite(Computation from) {
    this.from = from;
  }

  /**
   * The new node that holds the value of an old one.
   *
   * @throws IllegalArgumentException if it is no longer there
   */
  public Node map(Node old) {
    Node node = nodes.get(old);
    if (node == null) {
      throw new IllegalArgumentException(old + " is not part of the rewritten graph");
    }
    return node;
  }

  /** The new nodes of an application's inputs; null where one is absent. */
  Node[] inputs(Application old) {
    return old.inputs().stream().map(x -> x == null ? null : map(x)).toArray(Node[]::new);
  }

  /** The old node's value is now that of {@code node}. */
  void put(Node old, Node node) {
    nodes.put(old, node);
  }

  void put(Application old, Application now) {
    for (int i = 0; i < old.outputs().size(); i++) {
      nodes.put(old.output(i), now.output(i));
    }
  }

  /** The same op on the new inputs. */
  Application copy(Application old) {
    Application now = add(old.op(), old, inputs(old));
    put(old, now);
    return now;
  }

  /** An op in the layer and the sections of an old application. */
  Application add(Op op, Application at, Node... inputs) {
    return add(op, at, from.sections().applyAsLong(at), inputs);
  }

  /** An op in the layer of an old application. */
  Application add(Op op, Application at, long section, Node... inputs) {
    graph.beginLayer(at.layer());
    try {
      Application now = graph.apply(op, inputs);
      sections.put(now, section);
      return now;
    } finally {
      graph.endLayer();
    }
  }

  /** What has been built. */
  Computation result() {
    Set<Node> outputs = Computation.identitySet();
    from.outputs().forEach(output -> outputs.add(map(output)));
    return new Computation(graph, outputs, sections::get);
  }
}
