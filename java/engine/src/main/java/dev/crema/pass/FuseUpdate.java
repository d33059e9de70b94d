package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.memory.ElementType;
import dev.crema.op.MatMul;
import dev.crema.op.UpdateOp;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * A big kernel is updated while the product that makes its gradient is computed, a block at a time:
 * the gradient is neither stored nor read, and the parameters and moments come from memory beside
 * the arithmetic. Every parameter changes by the same operations as before. Only where nothing but
 * that update reads the gradient (no clipping, no sum over batches, no scale of the loss), and
 * where nothing reads the kernel afterwards.
 */
public record FuseUpdate() implements Pass {
  /** Smaller kernels stay in the caches between the product and the update. */
  private static final long LEAST = 1 << 18;

  /** A kernel's product, as its gradient is stored, and the update that covers it. */
  private record Fusion(Application product, Application stored, Application update) {
    Variable place() {
      return variable(stored.input(0));
    }

    /** Of the kernel in the parameters and moments of the update. */
    long from() {
      return place().offset() - variable(update.input(1)).offset();
    }

    long length() {
      return place().type().elements().constant();
    }
  }

  @Override
  public Rewrite apply(Computation from) {
    List<Application> live = from.live();
    Readers readers = new Readers(from, live);
    List<Fusion> fusions = new ArrayList<>();
    for (Application update : live) {
      if (update.op() instanceof UpdateOp op && isAlone(update, op)) {
        for (Application stored : live) {
          Fusion f = fusion(from, live, readers, stored, update);
          if (f != null) {
            fusions.add(f);
          }
        }
      }
    }
    fusions.sort(Comparator.comparingLong(Fusion::from));
    Map<Application, Fusion> products = new IdentityHashMap<>();
    Map<Application, Fusion> stores = new IdentityHashMap<>();
    for (Fusion f : fusions) {
      products.put(f.product(), f);
      stores.put(f.stored(), f);
    }
    Rewrite rewrite = new Rewrite(from);
    for (Application a : live) {
      List<Fusion> own = fusions.stream().filter(f -> f.update() == a).toList();
      if (stores.containsKey(a)) {
        Fusion f = stores.get(a);
        Node x = rewrite.map(f.product().input(0));
        Node d = rewrite.map(f.product().input(1));
        update(rewrite, f.update(), f.from(), f.length(), x, d);
      } else if (!own.isEmpty()) {
        long at = 0;
        for (Fusion f : own) {
          update(rewrite, a, at, f.from() - at, null, null);
          at = f.from() + f.length();
        }
        update(rewrite, a, at, variable(a.input(1)).type().extent(0) - at, null, null);
      } else if (!products.containsKey(a)) {
        rewrite.copy(a);
      }
    }
    return rewrite;
  }

  /** Whether an update needs nothing but variables, and each parameter its gradient alone. */
  private static boolean isAlone(Application update, UpdateOp op) {
    int scale = 3 + op.moments();
    return op.isElementwise()
        && update.input(scale) == null
        && update.inputs().size() <= scale + 2
        && update.inputs().stream().allMatch(x -> x == null || x.op() instanceof Variable);
  }

  private static Fusion fusion(
      Computation from,
      List<Application> live,
      Readers readers,
      Application stored,
      Application update) {
    if (!(stored.op() instanceof Assign assign) || assign.accumulate()) {
      return null;
    }
    Application product = stored.input(1).application();
    boolean fits =
        product.op() instanceof MatMul m
            && m.equals(new MatMul(true, false, Precision.FLOAT32))
            && stored.input(1).type().rank() == 2
            && stored.input(1).type().element() == ElementType.FLOAT32
            && product.input(0).type().rank() == 2
            && product.input(1).type().rank() == 2
            && stored.input(0).op() instanceof Variable
            && readers.only(stored.input(1)) == stored
            && from.sections().applyAsLong(stored) == from.sections().applyAsLong(update);
    if (!fits) {
      return null;
    }
    Fusion f = new Fusion(product, stored, update);
    Variable gradients = variable(update.input(1));
    boolean covered =
        f.place().storage().equals(gradients.storage())
            && f.length() >= LEAST
            && f.from() >= 0
            && f.from() + f.length() <= gradients.type().extent(0);
    return covered && isPrivate(from, live, f) && !isReadLater(live, f) ? f : null;
  }

  /** Whether the gradient is of no interest to anything but its update. */
  private static boolean isPrivate(Computation from, List<Application> live, Fusion f) {
    return from.outputs().stream().noneMatch(x -> overlap(x, f.place()))
        && live.stream()
            .filter(a -> a != f.stored() && a != f.update())
            .flatMap(a -> a.inputs().stream())
            .noneMatch(x -> overlap(x, f.place()));
  }

  /**
   * Whether the kernel or its moments are used between the product and the update, or behind it.
   */
  private static boolean isReadLater(List<Application> live, Fusion f) {
    List<Variable> written = new ArrayList<>();
    for (int i : f.update().op().writes()) {
      written.add(part(variable(f.update().input(i)), f.from(), f.length()));
    }
    return live.subList(live.indexOf(f.product()), live.size()).stream()
        .filter(a -> a != f.update())
        .flatMap(a -> a.inputs().stream())
        .anyMatch(x -> written.stream().anyMatch(w -> overlap(x, w)));
  }

  private static Variable variable(Node x) {
    return (Variable) x.op();
  }

  private static boolean overlap(Node x, Variable b) {
    return x != null
        && Computation.root(x).op() instanceof Variable a
        && a.storage().equals(b.storage())
        && a.offset() < b.offset() + b.type().elements().constant()
        && b.offset() < a.offset() + a.type().elements().constant();
  }

  private static Variable part(Variable of, long from, long length) {
    return new Variable(of.name(), of.storage(), of.offset() + from, TensorType.of(length));
  }

  /**
   * The update of a part of what {@code all} updates.
   *
   * @param x the factors of its gradients' product; null: they are stored
   */
  private static void update(
      Rewrite rewrite, Application all, long from, long length, Node x, Node d) {
    if (length == 0) {
      return;
    }
    int hyper = 2 + ((UpdateOp) all.op()).moments();
    List<Node> in = new ArrayList<>();
    for (int i = 0; i < all.inputs().size(); i++) {
      Node old = all.input(i);
      if (old == null || i == 1 && x != null) {
        in.add(null);
      } else {
        Variable v = variable(old);
        in.add(rewrite.add(i == hyper ? v : part(v, from, length), all).output(0));
      }
    }
    if (x != null) {
      if (in.size() == hyper + 2) {
        in.add(null); // no mask
      }
      in.add(x);
      in.add(d);
    }
    rewrite.add(all.op(), all, in.toArray(new Node[0]));
  }
}
