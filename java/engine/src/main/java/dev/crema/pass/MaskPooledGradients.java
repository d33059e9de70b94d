package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Node;
import dev.crema.op.MaxPool2dGrad;
import dev.crema.op.ReluGrad;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Behind a max pool, the gradient of ReLU is taken of the pooled values instead of the pixels:
 * there are fewer of them. A pixel that receives a gradient is its window's maximum, so both are
 * positive or neither is; the others receive zero in either case.
 */
public record MaskPooledGradients() implements Pass {
  @Override
  public Rewrite apply(Computation from) {
    List<Application> live = from.live();
    Map<Node, Integer> readers = new IdentityHashMap<>();
    live.forEach(a -> a.inputs().forEach(x -> readers.merge(x, 1, Integer::sum)));
    Rewrite rewrite = new Rewrite(from);
    for (Application a : live) {
      Application pool = pooled(a);
      if (pool == null || readers.get(a.input(1)) > 1 || from.outputs().contains(a.input(1))) {
        rewrite.copy(a);
        continue;
      }
      Node x = rewrite.map(pool.input(0));
      Node y = rewrite.map(pool.input(1));
      Node dy = rewrite.map(pool.input(2));
      Node masked = rewrite.add(new ReluGrad(), a, y, dy).output(0);
      rewrite.put(a, rewrite.add(pool.op(), a, x, y, masked));
    }
    return rewrite;
  }

  /**
   * The max pool's gradient that {@code a}, the gradient of a ReLU, takes; null if it is no such.
   */
  private static Application pooled(Application a) {
    if (!(a.op() instanceof ReluGrad)) {
      return null;
    }
    Application pool = a.input(1).application();
    return pool.op() instanceof MaxPool2dGrad && pool.input(0) == a.input(0) ? pool : null;
  }
}
