package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Fused;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.BroadcastTo;
import dev.crema.op.Cast;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Writes a chain of element-wise ops as one: gives registers to inputs, outputs and temporaries. A
 * cast is no step: what it gives is the value that it is given, in the same register, and is
 * rounded where it is stored.
 */
final class FusedChain {
  private final List<Application> members;
  private final Set<Node> needed = Computation.identitySet();
  private final Map<Node, Integer> registers = new IdentityHashMap<>();
  private final Map<Node, Integer> lastUse = new IdentityHashMap<>();
  private final Map<Node, Node> uncast = new IdentityHashMap<>();
  private final Deque<Integer> free = new ArrayDeque<>();
  private final List<Node> inputs = new ArrayList<>();
  private final List<Node> outputs = new ArrayList<>();
  private int next;

  private FusedChain(List<Application> members, Predicate<Node> isNeeded) {
    this.members = members;
    for (Application m : members) {
      Node y = m.output(0);
      if (isNeeded.test(y)) {
        needed.add(y);
        outputs.add(y);
      }
      if (m.op() instanceof Cast) {
        uncast.put(y, value(m.input(0)));
      }
    }
  }

  /** Adds the chain to the new graph, at the place of its last member. */
  static void add(Rewrite rewrite, List<Application> members, Predicate<Node> isNeeded) {
    FusedChain chain = new FusedChain(members, isNeeded);
    chain.findInputs();
    List<Fused.Step> steps = chain.steps();
    Application last = members.get(members.size() - 1);
    List<TensorType> types = chain.outputs.stream().map(Node::type).toList();
    Fused fused = new Fused(types, steps);
    Node[] in = chain.inputs.stream().map(rewrite::map).toArray(Node[]::new);
    Application now = rewrite.add(fused, last, in);
    for (int i = 0; i < chain.outputs.size(); i++) {
      rewrite.put(chain.outputs.get(i), now.output(i));
    }
  }

  /** What a node is but for casts. */
  private Node value(Node x) {
    return uncast.getOrDefault(x, x);
  }

  private void findInputs() {
    Set<Node> inside = Computation.identitySet();
    members.forEach(m -> inside.add(m.output(0)));
    for (int i = 0; i < members.size(); i++) {
      for (Node x : members.get(i).inputs()) {
        if (!inside.contains(x) && !registers.containsKey(x)) {
          registers.put(x, inputs.size());
          inputs.add(x);
        }
        lastUse.put(value(x), i);
      }
    }
    next = inputs.size();
    for (Node y : outputs) {
      // A value is computed in the register of the first output that it is; others are copies.
      registers.putIfAbsent(value(y), next);
      registers.put(y, next++);
    }
  }

  private List<Fused.Step> steps() {
    int temporaries = next;
    List<Fused.Step> steps = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      Application m = members.get(i);
      Node y = m.output(0);
      if (m.op() instanceof Cast) {
        copy(value(y), y, steps);
        release(m, i, temporaries);
        continue;
      }
      Node first = value(m.input(0));
      if (m.op() instanceof BroadcastTo && !registers.containsKey(y) && isInput(first)) {
        registers.put(y, registers.get(first)); // every input is read as broadcast
        continue;
      }
      List<Integer> operands = m.inputs().stream().map(x -> registers.get(value(x))).toList();
      release(m, i, temporaries);
      if (!registers.containsKey(y)) {
        registers.put(y, free.isEmpty() ? next++ : free.pop());
      }
      steps.add(Fused.step((ElementwiseOp) m.op(), registers.get(y), operands));
    }
    return steps;
  }

  /** Moves a value to an output that is another register than its own. */
  private void copy(Node value, Node to, List<Fused.Step> steps) {
    if (needed.contains(to) && !registers.get(to).equals(registers.get(value))) {
      steps.add(Fused.copy(registers.get(to), registers.get(value)));
    }
  }

  private void release(Application m, int step, int temporaries) {
    m.inputs().stream()
        .map(this::value)
        .distinct()
        .filter(x -> lastUse.get(x) == step && registers.get(x) >= temporaries)
        .forEach(x -> free.push(registers.get(x)));
  }

  private boolean isInput(Node x) {
    return registers.get(x) < inputs.size();
  }
}
