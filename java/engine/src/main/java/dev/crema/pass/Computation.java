package dev.crema.pass;

import dev.crema.CremaException;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;

/**
 * What a plan computes of a graph, and what passes rewrite.
 *
 * @param outputs nodes that are read after a run; a pass keeps them
 * @param sections bit mask for each application: which parts of a run it belongs to
 */
public record Computation(Graph graph, Set<Node> outputs, ToLongFunction<Application> sections) {
  /** The section of what need not run again before the parameters change; of nothing else. */
  public static final long PREPARE = 1L << 62;

  /**
   * @throws CremaException if an output belongs to another graph
   */
  public Computation {
    for (Node output : outputs) {
      if (output.graph() != graph) {
        throw new CremaException(output + " belongs to another graph than the plan's");
      }
    }
  }

  /** An empty set of nodes, by identity. */
  static <T> Set<T> identitySet() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  /** What must run, in order: what the outputs depend on and what changes variables. */
  public List<Application> live() {
    Set<Node> wanted = identitySet();
    wanted.addAll(outputs);
    List<Application> all = graph.applications();
    List<Application> live = new ArrayList<>();
    for (int i = all.size() - 1; i >= 0; i--) {
      Application a = all.get(i);
      if (a.op().writes().length > 0 || a.outputs().stream().anyMatch(wanted::contains)) {
        live.add(a);
        a.inputs().stream().filter(x -> x != null).forEach(wanted::add);
      }
    }
    Collections.reverse(live);
    return live;
  }

  /** The node whose memory {@code x} is: itself, or what it reshapes. */
  public static Node root(Node x) {
    Node at = x;
    while (at.index() == 0 && at.op().alias() >= 0) {
      at = at.application().input(at.op().alias());
    }
    return at;
  }
}
