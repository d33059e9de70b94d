package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Variable;
import dev.crema.op.ActivatedOp;
import dev.crema.op.Add;
import dev.crema.op.FusedActivation;
import java.util.List;
import java.util.Set;

/**
 * Lets a product add its bias and apply its activation while it writes, where nothing else reads
 * what stands between. Gradients are in the graph already, so any activation will do.
 */
public record FuseActivation() implements Pass {
  @Override
  public Rewrite apply(Computation from) {
    List<Application> live = from.live();
    Readers readers = new Readers(from, live);
    Rewrite rewrite = new Rewrite(from);
    Set<Application> done = Computation.identitySet();
    for (Application a : live) {
      if (done.contains(a)) {
        continue;
      }
      if (a.op() instanceof ActivatedOp op && op.activation() == FusedActivation.NONE) {
        fuse(rewrite, a, op, readers, done);
      } else {
        rewrite.copy(a);
      }
    }
    return rewrite;
  }

  private static void fuse(
      Rewrite rewrite, Application a, ActivatedOp op, Readers readers, Set<Application> done) {
    Node[] in = rewrite.inputs(a);
    Node end = a.output(0);
    Application next = readers.only(end);
    if (next != null && a.inputs().size() == 3 && a.input(2) == null) {
      Node bias = bias(next, end, a);
      if (bias != null) {
        in[2] = rewrite.map(bias);
        done.add(next);
        end = next.output(0);
        next = readers.only(end);
      }
    }
    FusedActivation activation = next == null ? null : activation(next.op());
    Op fused = op;
    if (activation != null) {
      fused = op.withActivation(activation);
      done.add(next);
      end = next.output(0);
    }
    Application now = rewrite.add(fused, a, in);
    rewrite.put(end, now.output(0));
    for (int i = 1; i < a.outputs().size(); i++) {
      rewrite.put(a.output(i), now.output(i));
    }
  }

  /** What a sum adds to each row of {@code product}, known when that is computed; or null. */
  private static Node bias(Application sum, Node product, Application at) {
    if (!(sum.op() instanceof Add) || !sum.output(0).type().equals(product.type())) {
      return null;
    }
    Node bias = sum.input(0) == product ? sum.input(1) : sum.input(0);
    boolean fits =
        bias.type().dims().equals(List.of(product.type().dim(-1)))
            && bias.application().id() < at.id();
    return fits && !isWrittenBetween(bias, at, sum) ? bias : null;
  }

  private static boolean isWrittenBetween(Node x, Application from, Application to) {
    return Computation.root(x).op() instanceof Variable
        && x.graph().applications().subList(from.id(), to.id()).stream()
            .anyMatch(a -> a.op().writes().length > 0);
  }

  private static FusedActivation activation(Op op) {
    if (!(op instanceof ElementwiseOp e) || e.parameters().length != 0) {
      return null;
    }
    return switch (e.operation()) {
      case "relu" -> FusedActivation.RELU;
      case "sigmoid" -> FusedActivation.SIGMOID;
      case "tanh" -> FusedActivation.TANH;
      case "gelu" -> FusedActivation.GELU;
      case "gelu_tanh" -> FusedActivation.GELU_TANH;
      case "silu" -> FusedActivation.SILU;
      default -> null;
    };
  }
}
