package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Node;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Who reads the values of a computation. */
final class Readers {
  private final Computation from;
  private final Map<Node, List<Application>> readers = new IdentityHashMap<>();

  Readers(Computation from, List<Application> live) {
    this.from = from;
    for (Application a : live) {
      for (Node x : a.inputs()) {
        if (x != null) {
          readers.computeIfAbsent(x, k -> new ArrayList<>()).add(a);
        }
      }
    }
  }

  /** What alone reads a value, in the same sections; null if something else may. */
  Application only(Node y) {
    List<Application> all = readers.getOrDefault(y, List.of());
    boolean one =
        all.size() == 1
            && !from.outputs().contains(y)
            && from.sections().applyAsLong(all.get(0))
                == from.sections().applyAsLong(y.application());
    return one ? all.get(0) : null;
  }
}
