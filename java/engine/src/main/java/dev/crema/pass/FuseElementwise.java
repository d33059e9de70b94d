package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Fused;
import dev.crema.graph.Node;
import dev.crema.graph.Variable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Joins element-wise ops of the same extents and one set of sections that feed each other into one
 * pass over memory. A chain runs where its last op stood, so an op joins only if nothing outside
 * needs the chain before that, and no variable that the chain reads is written meanwhile. What is
 * needed outside as well becomes a further output.
 */
public record FuseElementwise() implements Pass {
  /** A chain in the making: its members, in order. */
  private static final class Chain {
    final List<Application> members = new ArrayList<>();
    final Set<Node> inputs = Computation.identitySet();
    int parameters;
    boolean readsVariables;
    int writesBefore; // applications that write, before the first member
  }

  @Override
  public Rewrite apply(Computation from) {
    List<Application> live = from.live();
    Map<Node, List<Application>> consumers = new IdentityHashMap<>();
    for (Application a : live) {
      for (Node x : a.inputs()) {
        if (x != null) {
          consumers.computeIfAbsent(x, k -> new ArrayList<>()).add(a);
        }
      }
    }
    Map<Application, Chain> chains = new IdentityHashMap<>();
    int writes = 0;
    for (Application a : live) {
      if (a.op() instanceof ElementwiseOp) {
        join(a, from, consumers, chains, writes);
      } else if (a.op().writes().length > 0) {
        writes++;
      }
    }
    Rewrite rewrite = new Rewrite(from);
    for (Application a : live) {
      Chain chain = chains.get(a);
      if (chain == null || chain.members.size() == 1) {
        rewrite.copy(a);
      } else if (chain.members.get(chain.members.size() - 1) == a) {
        FusedChain.add(rewrite, chain.members, x -> isNeeded(x, from, consumers, chains, chain));
      }
    }
    return rewrite;
  }

  private static boolean isNeeded(
      Node y,
      Computation from,
      Map<Node, List<Application>> consumers,
      Map<Application, Chain> chains,
      Chain chain) {
    return from.outputs().contains(y)
        || consumers.getOrDefault(y, List.of()).stream().anyMatch(c -> chains.get(c) != chain);
  }

  private static void join(
      Application a,
      Computation from,
      Map<Node, List<Application>> consumers,
      Map<Application, Chain> chains,
      int writes) {
    Chain chain = new Chain();
    chain.writesBefore = writes;
    add(chain, a);
    chains.put(a, chain);
    for (Node x : a.inputs()) {
      Chain before = chains.get(x.application());
      if (before != null
          && before != chain
          && x.type().sameDims(a.output(0).type())
          && from.sections().applyAsLong(x.application()) == from.sections().applyAsLong(a)
          && nothingNeedsItBefore(a, before, chain, consumers, chains)
          && (writes == before.writesBefore || !before.readsVariables)) {
        Chain joined = joined(before, chain);
        if (joined != null) {
          chain = joined;
          for (Application member : chain.members) {
            chains.put(member, chain);
          }
        }
      }
    }
  }

  private static boolean nothingNeedsItBefore(
      Application a,
      Chain before,
      Chain chain,
      Map<Node, List<Application>> consumers,
      Map<Application, Chain> chains) {
    for (Application member : before.members) {
      for (Application c : consumers.getOrDefault(member.output(0), List.of())) {
        Chain other = chains.get(c);
        if (c.id() < a.id() && other != before && other != chain) {
          return false;
        }
      }
    }
    return true;
  }

  private static void add(Chain chain, Application a) {
    chain.members.add(a);
    chain.parameters += ((ElementwiseOp) a.op()).parameters().length;
    for (Node x : a.inputs()) {
      chain.inputs.add(x);
      chain.readsVariables |= Computation.root(x).op() instanceof Variable;
    }
  }

  /** Both in one, or null where that is more than a kernel takes. */
  private static Chain joined(Chain a, Chain b) {
    Map<Integer, Application> byId = new HashMap<>();
    a.members.forEach(m -> byId.put(m.id(), m));
    b.members.forEach(m -> byId.put(m.id(), m));
    Chain chain = new Chain();
    byId.keySet().stream().sorted().forEach(id -> add(chain, byId.get(id)));
    chain.writesBefore = Math.min(a.writesBefore, b.writesBefore);
    chain.members.forEach(m -> chain.inputs.remove(m.output(0)));
    // Each member takes at most one register: an output or a temporary.
    boolean fits =
        chain.inputs.size() + chain.members.size() <= Fused.MAX_REGISTERS
            && chain.parameters <= Fused.MAX_PARAMETERS;
    return fits ? chain : null;
  }
}
