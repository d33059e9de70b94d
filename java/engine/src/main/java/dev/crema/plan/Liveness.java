package dev.crema.plan;

import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Constant;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Variable;
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
    Node origin; // whose memory it is when that is a variable, an input or a constant
    long bytes;
    int from;
    int to;
    boolean pinned; // read after the run

    boolean isArena() {
      return origin == null;
    }
  }

  private final List<Application> order = new ArrayList<>();
  private final Map<Node, Block> blocks = new IdentityHashMap<>();

  private Liveness() {}

  static Liveness of(List<Application> all, Set<Node> outputs, long capacity) {
    Liveness l = new Liveness();
    l.select(all, outputs);
    l.makeBlocks(capacity);
    for (Node output : outputs) {
      Block block = l.blocks.get(output);
      block.pinned = true;
      block.to = Integer.MAX_VALUE;
    }
    l.storeInPlace();
    l.computeInPlace();
    return l;
  }

  /** What runs, in order; assignments whose value is computed in its variable are gone. */
  List<Application> order() {
    return order;
  }

  Block block(Node node) {
    return blocks.get(node);
  }

  Set<Block> arenaBlocks() {
    Set<Block> arena = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Block block : blocks.values()) {
      if (block.isArena()) {
        arena.add(block);
      }
    }
    return arena;
  }

  private void select(List<Application> all, Set<Node> outputs) {
    Set<Node> wanted = Collections.newSetFromMap(new IdentityHashMap<>());
    wanted.addAll(outputs);
    for (int i = all.size() - 1; i >= 0; i--) {
      Application a = all.get(i);
      boolean runs = a.op().writes().length > 0 || a.outputs().stream().anyMatch(wanted::contains);
      if (runs) {
        order.add(a);
        a.inputs().stream().filter(x -> x != null).forEach(wanted::add);
      }
    }
    Collections.reverse(order);
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
          block = new Block();
          block.bytes = y.type().at(capacity).byteSize(y.type().element());
          block.from = at;
          block.to = at;
          if (isSource(a.op())) {
            block.origin = y;
          }
        }
        blocks.put(y, block);
      }
    }
  }

  static boolean isSource(Op op) {
    return op instanceof Input || op instanceof Variable || op instanceof Constant;
  }

  /** Values that are only computed to be stored are computed where they are stored. */
  private void storeInPlace() {
    List<Application> dropped = new ArrayList<>();
    for (int at = 0; at < order.size(); at++) {
      Application a = order.get(at);
      if (!(a.op() instanceof Assign assign) || assign.accumulate()) {
        continue;
      }
      Node value = a.input(1);
      Block block = blocks.get(value);
      boolean alone =
          value.op().alias() < 0 && blocks.values().stream().filter(b -> b == block).count() == 1;
      if (block.isArena()
          && !block.pinned
          && alone
          && block.to == at
          && untouchedBetween(a.input(0), block.from, at)) {
        block.origin = a.input(0);
        dropped.add(a);
      }
    }
    order.removeIf(
        dropped::contains); // positions in blocks stay in order, which is all that counts
  }

  private boolean untouchedBetween(Node variable, int from, int to) {
    for (int at = from; at < to; at++) {
      for (Node x : order.get(at).inputs()) {
        Block block = x == null ? null : blocks.get(x);
        if (block != null && block.origin != null && overlap(block.origin, variable)) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean overlap(Node a, Node b) {
    if (!(a.op() instanceof Variable u) || !(b.op() instanceof Variable v)) {
      return false;
    }
    long uEnd = u.offset() + u.type().elements().constant();
    long vEnd = v.offset() + v.type().elements().constant();
    return u.storage().equals(v.storage()) && u.offset() < vEnd && v.offset() < uEnd;
  }

  /** An element-wise op writes over an input that nobody reads any more. */
  private void computeInPlace() {
    for (Application a : order) {
      if (!a.op().inPlace()) {
        continue;
      }
      Node y = a.output(0);
      Block out = blocks.get(y);
      if (!out.isArena() || out.pinned) {
        continue;
      }
      for (Node x : a.inputs()) {
        Block in = x == null ? null : blocks.get(x);
        if (in != null
            && in != out
            && in.isArena()
            && !in.pinned
            && in.to == out.from
            && in.bytes == out.bytes
            && x.type().equals(y.type())) {
          in.to = out.to;
          blocks.replaceAll((node, block) -> block == out ? in : block);
          break;
        }
      }
    }
  }
}
