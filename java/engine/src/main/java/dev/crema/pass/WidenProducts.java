package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.memory.ElementType;
import dev.crema.op.Cast;
import dev.crema.op.Linear;
import dev.crema.op.MatMul;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Has products of 16-bit factors store float32, as which they are summed, where everything that
 * reads them is a cast to it: gradients of weights, logits.
 */
public record WidenProducts() implements Pass {
  @Override
  public Rewrite apply(Computation from) {
    List<Application> live = from.live();
    Map<Node, List<Application>> readers = new IdentityHashMap<>();
    Map<Node, Node> stored = new IdentityHashMap<>(); // what variables are given ahead of the runs
    for (Application a : live) {
      if (a.op() instanceof Assign && from.sections().applyAsLong(a) == Computation.PREPARE) {
        stored.put(a.input(0), a.input(1));
      }
      for (Node x : a.inputs()) {
        if (x != null) {
          readers.computeIfAbsent(x, key -> new ArrayList<>()).add(a);
        }
      }
    }
    Rewrite rewrite = new Rewrite(from);
    for (Application a : live) {
      Op wide = wide(a.op());
      if (wide != null && isOnlyCast(a.output(0), from, readers)) {
        Node[] in = rewrite.inputs(a);
        if (a.op() instanceof Linear) {
          in[2] = floats(a.input(2), a, rewrite, stored);
        }
        rewrite.put(a, rewrite.add(wide, a, in));
      } else if (a.op() instanceof Cast && isWidened(a, rewrite)) {
        rewrite.put(a.output(0), rewrite.map(a.input(0)));
      } else {
        rewrite.copy(a);
      }
    }
    return rewrite;
  }

  private static Op wide(Op op) {
    if (op instanceof Linear linear && !linear.wide()) {
      return linear.asWide();
    }
    return op instanceof MatMul product && !product.wide() ? product.asWide() : null;
  }

  private static boolean isOnlyCast(
      Node y, Computation from, Map<Node, List<Application>> readers) {
    List<Application> all = readers.getOrDefault(y, List.of());
    return y.type().element() != ElementType.FLOAT32
        && !from.outputs().contains(y)
        && !all.isEmpty()
        && all.stream().allMatch(r -> r.op().equals(new Cast(ElementType.FLOAT32)));
  }

  private static boolean isWidened(Application cast, Rewrite rewrite) {
    return cast.op().equals(new Cast(ElementType.FLOAT32))
        && cast.input(0).type().element() != ElementType.FLOAT32
        && rewrite.map(cast.input(0)).type().element() == ElementType.FLOAT32;
  }

  /** The bias of a float32 output is float32: what was cast, or cast back. */
  private static Node floats(Node old, Application at, Rewrite rewrite, Map<Node, Node> stored) {
    if (old == null) {
      return null;
    }
    Node source = stored.getOrDefault(old, old);
    Node before = source.op() instanceof Cast ? source.application().input(0) : source;
    Node bias = rewrite.map(before.type().element() == ElementType.FLOAT32 ? before : old);
    return bias.type().element() == ElementType.FLOAT32
        ? bias
        : rewrite.add(new Cast(ElementType.FLOAT32), at, bias).output(0);
  }
}
