package dev.crema.plan;

import dev.crema.CremaException;
import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Constant;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Fused;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Variable;
import dev.crema.pass.Computation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which applications run, which tensors share memory, and from when to when each block of memory is
 * needed.
 */
final class Liveness {
  /** Tensors that lie in the same memory: a tensor, its reshapes, what is computed in place. */
  static final class Block {
    final int number;
    Node origin; // whose memory it is when that is a variable, an input or a constant
    long bytes;
    int from;
    int to;
    int tensors; // its members that are not computed in place
    boolean pinned; // read after the run
    Block into; // the block that this one has become part of
    long offset; // in the arena, once placed

    Block(int number) {
      this.number = number;
    }

    boolean isArena() {
      return origin == null;
    }
  }

  private final Computation computation;
  private final List<Application> order;
  private final Map<Node, Block> blocks = new IdentityHashMap<>();
  private final List<Block> all = new ArrayList<>();

  private Liveness(Computation computation) {
    this.computation = computation;
    this.order = computation.live();
  }

  /**
   * @param reuse whether values may be computed in the memory of others
   */
  static Liveness of(Computation computation, long capacity, boolean reuse) {
    Liveness l = new Liveness(computation);
    l.makeBlocks(capacity);
    for (Node output : computation.outputs()) {
      Block block = l.blocks.get(output);
      block.pinned = true;
      block.to = Integer.MAX_VALUE;
    }
    l.checkWrites();
    if (reuse) {
      l.storeInPlace();
      l.computeInPlace();
    }
    return l;
  }

  /** What runs, in order; assignments whose value is computed in its variable are gone. */
  List<Application> order() {
    return order;
  }

  Block block(Node node) {
    Block block = blocks.get(node);
    while (block.into != null) {
      block = block.into;
    }
    return block;
  }

  List<Block> arenaBlocks() {
    return all.stream().filter(b -> b.isArena() && b.into == null).toList();
  }

  static boolean isSource(Op op) {
    return op instanceof Input || op instanceof Variable || op instanceof Constant;
  }

  private void makeBlocks(long capacity) {
    for (int at = 0; at < order.size(); at++) {
      Application a = order.get(at);
      for (Node x : a.inputs()) {
        if (x != null) {
          Block block = blocks.get(x);
          block.to = Math.max(block.to, at);
        }
      }
      for (Node y : a.outputs()) {
        Block block;
        if (a.op().alias() >= 0 && y.index() == 0) {
          block = blocks.get(a.input(a.op().alias()));
        } else {
          block = new Block(all.size());
          all.add(block);
          block.bytes = y.type().at(capacity).byteSize(y.type().element());
          block.from = at;
          block.to = at;
          if (isSource(a.op())) {
            block.origin = y;
          }
        }
        block.tensors++;
        blocks.put(y, block);
      }
    }
  }

  /** Ops change variables, or what the caller put into an input; nothing that others compute. */
  private void checkWrites() {
    for (Application a : order) {
      for (int i : a.op().writes()) {
        Node target = a.input(i);
        Op root = target == null ? null : Computation.root(target).op();
        if (target != null && !(root instanceof Variable || root instanceof Input)) {
          throw new CremaException(
              a + " writes to " + target + ", which is not a variable. Give it a variable.");
        }
      }
    }
  }

  /** Values that are only computed to be stored are computed where they are stored. */
  private void storeInPlace() {
    Set<Application> dropped = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int at = 0; at < order.size(); at++) {
      Application a = order.get(at);
      if (!(a.op() instanceof Assign assign) || assign.accumulate()) {
        continue;
      }
      Block block = blocks.get(a.input(1));
      Node variable = Computation.root(a.input(0));
      if (block.isArena()
          && !block.pinned
          && block.tensors == 1
          && block.to == at
          && sameSections(a, order.get(block.from))
          && untouchedBetween(variable, block.from, at)) {
        block.origin = variable;
        dropped.add(a);
      }
    }
    // Positions in blocks stay in order, which is all that counts.
    order.removeIf(dropped::contains);
  }

  private boolean sameSections(Application a, Application b) {
    return computation.sections().applyAsLong(a) == computation.sections().applyAsLong(b);
  }

  /** Whether the application that computes a value, and those up to {@code to}, leave it alone. */
  private boolean untouchedBetween(Node variable, int from, int to) {
    for (int at = from; at < to; at++) {
      Application a = order.get(at);
      for (Node x : a.inputs()) {
        Block block = x == null ? null : blocks.get(x);
        boolean touched =
            block != null
                && !block.isArena()
                && overlap(block.origin, variable)
                // An element-wise op reads each element before it writes there.
                && !(at == from && isElementwise(a.op()) && sameMemory(block.origin, variable));
        if (touched) {
          return false;
        }
      }
      for (Node y : a.outputs()) {
        Block block = blocks.get(y);
        if (at > from && !block.isArena() && !isSource(a.op()) && overlap(block.origin, variable)) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean isElementwise(Op op) {
    return (op instanceof ElementwiseOp || op instanceof Fused) && op.inPlace();
  }

  private static boolean sameMemory(Node a, Node b) {
    return a == b
        || a.op() instanceof Variable u
            && b.op() instanceof Variable v
            && u.storage().equals(v.storage())
            && u.offset() == v.offset()
            && u.type().elements().equals(v.type().elements());
  }

  private static boolean overlap(Node a, Node b) {
    if (!(a.op() instanceof Variable u) || !(b.op() instanceof Variable v)) {
      return a == b;
    }
    long uEnd = u.offset() + u.type().elements().constant();
    long vEnd = v.offset() + v.type().elements().constant();
    return u.storage().equals(v.storage()) && u.offset() < vEnd && v.offset() < uEnd;
  }

  /** An op that allows it writes over an input that nobody reads any more. */
  private void computeInPlace() {
    for (Application a : order) {
      if (!a.op().inPlace() || a.outputs().isEmpty()) {
        continue;
      }
      Node y = a.output(0);
      Block out = block(y);
      if (!out.isArena() || out.pinned) {
        continue;
      }
      for (Node x : a.inputs()) {
        Block in = x == null ? null : block(x);
        if (in != null
            && in != out
            && in.isArena()
            && !in.pinned
            && in.to == out.from
            && in.bytes == out.bytes
            && x.type().equals(y.type())
            && readsOnce(a, x, in)) {
          in.to = out.to;
          out.into = in;
          break;
        }
      }
    }
  }

  /** No other input lies in the same memory: only an element-wise op could bear that. */
  private boolean readsOnce(Application a, Node x, Block in) {
    if (isElementwise(a.op())) {
      return true;
    }
    int readers = 0;
    for (Node other : a.inputs()) {
      readers += other != null && block(other) == in ? 1 : 0;
    }
    return readers == 1;
  }
}
