package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Constant;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Variable;
import dev.crema.op.Add;
import dev.crema.op.BroadcastTo;
import dev.crema.op.Cast;
import dev.crema.op.Mul;
import dev.crema.op.Reshape;
import dev.crema.op.Transpose;

/**
 * Drops what changes nothing: reshapes, broadcasts and casts to the type that is there, reshapes of
 * reshapes, transpositions that undo each other, products with 1, sums with 0.
 */
public record DropIdentity() implements Pass {
  @Override
  public Rewrite apply(Computation from) {
    Rewrite rewrite = new Rewrite(from);
    for (Application a : from.live()) {
      Node same = same(rewrite, a);
      if (same != null && mayStandFor(from, a, same)) {
        rewrite.put(a.output(0), same);
      } else if (a.op() instanceof Reshape) {
        // What is reshaped twice is reshaped once, from where it lies.
        Node root = Computation.root(rewrite.map(a.input(0)));
        boolean whole = root.type().equals(a.output(0).type());
        rewrite.put(a.output(0), whole ? root : rewrite.add(a.op(), a, root).output(0));
      } else {
        rewrite.copy(a);
      }
    }
    return rewrite;
  }

  /** A copy protects from later writes to a variable, an output from the next batch. */
  private static boolean mayStandFor(Computation from, Application a, Node same) {
    Op root = Computation.root(same).op();
    boolean source = root instanceof Input || root instanceof Constant;
    return !(root instanceof Variable) && !(source && from.outputs().contains(a.output(0)));
  }

  /** The new node that has the value of the application; null if none has. */
  private static Node same(Rewrite rewrite, Application a) {
    Op op = a.op();
    if (op instanceof BroadcastTo b) {
      Node x = rewrite.map(a.input(0));
      return x.type().equals(b.type()) ? x : null;
    }
    if (op instanceof Cast) {
      Node x = rewrite.map(a.input(0));
      return x.type().equals(a.output(0).type()) ? x : null;
    }
    if (op instanceof Transpose t) {
      Node x = rewrite.map(a.input(0));
      boolean undone = x.op() instanceof Transpose before && before.inverse().equals(t);
      return undone ? x.application().input(0) : null;
    }
    if (op instanceof Mul) {
      return neutral(rewrite, a, 1);
    }
    return op instanceof Add ? neutral(rewrite, a, 0) : null;
  }

  private static Node neutral(Rewrite rewrite, Application a, float neutral) {
    for (int i = 0; i < 2; i++) {
      Node x = rewrite.map(a.input(1 - i));
      if (isAll(rewrite.map(a.input(i)), neutral) && x.type().equals(a.output(0).type())) {
        return x;
      }
    }
    return null;
  }

  /** Whether every element is that constant. */
  private static boolean isAll(Node x, float value) {
    Node at = x;
    while (at.op() instanceof BroadcastTo || at.op() instanceof Reshape) {
      at = at.application().input(0);
    }
    return at.op() instanceof Constant c && c.values().length == 1 && c.values()[0] == value;
  }
}
