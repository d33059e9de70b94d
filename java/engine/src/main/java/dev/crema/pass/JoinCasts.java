package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Node;
import dev.crema.graph.Variable;
import dev.crema.memory.ElementType;
import dev.crema.op.Cast;
import dev.crema.op.CastAll;
import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Casts the parameters that a step reads in 16 bits all at once, where the first of them is needed:
 * one launch instead of one for each. The optimiser could store them in its own sweep and save
 * reading them again, 4 of the 34 bytes that Adam and the casts move for a parameter; but then the
 * copies would outlive the step, and whatever else changes parameters (a checkpoint, a user, a step
 * that is skipped) would have to renew them.
 *
 * @param kernels whether the device's kernel of that name writes 16 bits
 */
record JoinCasts(Predicate<String> kernels) implements Pass {
  private static final String KERNEL = new CastAll(ElementType.BFLOAT16).kernel();

  /** Casts that run in the same parts of a run and give the same type. */
  private record Kind(ElementType type, long section) {}

  @Override
  public Rewrite apply(Computation from) {
    List<Application> live = from.live();
    Map<Application, List<Application>> groups = new IdentityHashMap<>();
    Set<Node> joined = Computation.identitySet();
    for (List<Application> group : groups(from, live)) {
      if (group.size() > 1) {
        groups.put(group.get(0), group);
        group.forEach(cast -> joined.add(cast.output(0)));
      }
    }
    Rewrite rewrite = new Rewrite(from);
    live.stream().filter(JoinCasts::isVariable).forEach(rewrite::copy);
    for (Application a : live) {
      List<Application> group = groups.get(a);
      if (group != null) {
        Node[] in = group.stream().map(c -> rewrite.map(c.input(0))).toArray(Node[]::new);
        Application all = rewrite.add(new CastAll(((Cast) a.op()).element()), a, in);
        for (int i = 0; i < in.length; i++) {
          rewrite.put(group.get(i).output(0), all.output(i));
        }
      } else if (!isVariable(a) && (a.outputs().isEmpty() || !joined.contains(a.output(0)))) {
        rewrite.copy(a);
      }
    }
    return rewrite;
  }

  private static boolean isVariable(Application a) {
    return a.op() instanceof Variable;
  }

  /** What may run at once, up to where parameters change. */
  private Collection<List<Application>> groups(Computation from, List<Application> live) {
    Map<Kind, List<Application>> groups = new LinkedHashMap<>();
    if (!kernels.test(KERNEL)) {
      return groups.values();
    }
    Set<Node> chained = Computation.identitySet(); // become part of a chain
    for (Application a : live) {
      if (a.op() instanceof ElementwiseOp) {
        chained.addAll(a.inputs());
      }
    }
    for (Application a : live) {
      if (changesParameters(a)) {
        break;
      }
      long section = from.sections().applyAsLong(a);
      if (a.op() instanceof Cast cast
          && cast.element() != ElementType.FLOAT32
          && section != Computation.PREPARE
          && Prepack.isParameter(a.input(0))
          && a.input(0).type().elements().constant() > 0
          && !chained.contains(a.output(0))) {
        groups.computeIfAbsent(new Kind(cast.element(), section), kind -> new ArrayList<>()).add(a);
      }
    }
    return groups.values();
  }

  private static boolean changesParameters(Application a) {
    for (int i : a.op().writes()) {
      if (a.input(i) != null && Prepack.isParameter(Computation.root(a.input(i)))) {
        return true;
      }
    }
    return false;
  }
}
