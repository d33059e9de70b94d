package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Variable;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes what is computed twice only once: the same op on the same inputs in the same sections
 * (value numbering, Cocke 1970). What reads a variable counts as the same only between two writes.
 */
public record EliminateCommon() implements Pass {
  private record Key(Op op, List<Node> inputs, long sections, int writes) {}

  @Override
  public Rewrite apply(Computation from) {
    Rewrite rewrite = new Rewrite(from);
    Map<Key, Application> known = new HashMap<>();
    int writes = 0;
    for (Application a : from.live()) {
      if (a.op().writes().length > 0 || a.op() instanceof Input) {
        writes += a.op().writes().length;
        rewrite.copy(a);
        continue;
      }
      Node[] inputs = rewrite.inputs(a);
      boolean readsVariable =
          Arrays.stream(inputs)
              .anyMatch(x -> x != null && Computation.root(x).op() instanceof Variable);
      long sections = from.sections().applyAsLong(a);
      Key key = new Key(a.op(), Arrays.asList(inputs), sections, readsVariable ? writes : -1);
      Application same = known.get(key);
      if (same == null) {
        known.put(key, rewrite.copy(a));
      } else {
        rewrite.put(a, same);
      }
    }
    return rewrite;
  }
}
