package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Fused;
import dev.crema.graph.Node;
import dev.crema.op.BroadcastTo;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Writes a chain of element-wise ops as one: gives registers to inputs, outputs and temporaries.
 */
final class FusedChain {
  private final List<Application> members;
  private final Set<Node> needed = Computation.identitySet();
  private final Map<Node, Integer> registers = new IdentityHashMap<>();
  private final Map<Node, Integer> lastUse = new IdentityHashMap<>();
  private final Deque<Integer> free = new ArrayDeque<>();
  private final List<Node> inputs = new ArrayList<>();
  private final List<Node> outputs = new ArrayList<>();
  private int next;

  private FusedChain(List<Application> members, Predicate<Node> isNeeded) {
    this.members = members;
    for (Application m : members) {
      if (isNeeded.test(m.output(0))) {
        needed.add(m.output(0));
        outputs.add(m.output(0));
      }
    }
  }

  /** Adds the chain to the new graph, at the place of its last member. */
  static void add(Rewrite rewrite, List<Application> members, Predicate<Node> isNeeded) {
    FusedChain chain = new FusedChain(members, isNeeded);
    chain.findInputs();
    List<Fused.Step> steps = chain.steps();
    Application last = members.get(members.size() - 1);
    Fused fused = new Fused(last.output(0).type(), chain.outputs.size(), steps);
    Node[] in = chain.inputs.stream().map(rewrite::map).toArray(Node[]::new);
    Application now = rewrite.add(fused, last, in);
    for (int i = 0; i < chain.outputs.size(); i++) {
      rewrite.put(chain.outputs.get(i), now.output(i));
    }
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
        lastUse.put(x, i);
      }
    }
    next = inputs.size();
    for (Node y : outputs) {
      registers.put(y, next++);
    }
  }

  private List<Fused.Step> steps() {
    int temporaries = next;
    List<Fused.Step> steps = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      Application m = members.get(i);
      Node y = m.output(0);
      if (m.op() instanceof BroadcastTo && !needed.contains(y) && isInput(m.input(0))) {
        registers.put(y, registers.get(m.input(0))); // every input is read as broadcast
        continue;
      }
      List<Integer> operands = m.inputs().stream().map(registers::get).toList();
      int step = i;
      m.inputs().stream()
          .distinct()
          .filter(x -> lastUse.get(x) == step && registers.get(x) >= temporaries)
          .forEach(x -> free.push(registers.get(x)));
      if (!needed.contains(y)) {
        registers.put(y, free.isEmpty() ? next++ : free.pop());
      }
      steps.add(Fused.step((ElementwiseOp) m.op(), registers.get(y), operands));
    }
    return steps;
  }

  private boolean isInput(Node x) {
    return registers.get(x) < inputs.size();
  }
}
