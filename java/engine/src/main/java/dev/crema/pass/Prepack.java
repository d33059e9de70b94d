package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.memory.ElementType;
import dev.crema.op.Conv1d;
import dev.crema.op.Conv2d;
import dev.crema.op.Linear;
import dev.crema.op.PackFilter;
import dev.crema.op.PackWeights;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Packs kernels of convolutions and dense layers ahead of the runs, in {@link Computation#PREPARE}.
 * For plans that do not change parameters; one that does is left as it is.
 *
 * @param products whether kernels of dense layers are packed, too, which pays for products of more
 *     than a few rows: 8 rows of 1024 x 1024 take three quarters of the time
 */
public record Prepack(boolean products) implements Pass {
  private static final int BIAS = 2;

  public Prepack() {
    this(true);
  }

  @Override
  public Rewrite apply(Computation from) {
    Rewrite rewrite = new Rewrite(from);
    List<Application> live = from.live();
    boolean changes = changesVariables(from, live);
    Map<Place, Node> packed = new HashMap<>();
    long[] size = {prepared(live)};
    for (Application a : live) {
      Op packing = changes || !isKnownAhead(kernel(a)) ? null : packing(a);
      if (packing == null) {
        rewrite.copy(a);
        continue;
      }
      Node[] in = rewrite.inputs(a);
      Node kernel = in[1];
      Node memory =
          packed.computeIfAbsent(
              new Place((Variable) kernel.op(), packing),
              place -> pack(rewrite, a, place, kernel, size));
      Node bias = in.length > BIAS ? in[BIAS] : null;
      rewrite.put(a, rewrite.add(a.op(), a, in[0], kernel, bias, memory));
    }
    return rewrite;
  }

  private static Node kernel(Application a) {
    return a.inputs().size() > 1 ? a.input(1) : null;
  }

  /** What packs the kernel of an application; null: nothing does. */
  private Op packing(Application a) {
    TensorType kernel = a.input(1).type();
    if (a.op() instanceof Linear linear) {
      return products ? new PackWeights(linear.precision()) : null;
    }
    if (kernel.element() != ElementType.FLOAT32) {
      return null;
    }
    TensorType x = a.input(0).type();
    boolean depthwise = kernel.rank() > 2 && kernel.extent(-2) == 1 && x.extent(-1) > 1;
    if (depthwise) {
      return null;
    }
    if (a.op() instanceof Conv2d conv) {
      return conv.packing(x);
    }
    return a.op() instanceof Conv1d conv ? conv.packing(x) : null;
  }

  /** Whether a run changes variables: what is computed of parameters ahead of it may be stale. */
  static boolean changesVariables(Computation from, List<Application> live) {
    return live.stream()
        .filter(a -> from.sections().applyAsLong(a) != Computation.PREPARE)
        .anyMatch(a -> a.op().writes().length > 0);
  }

  /**
   * Floats that hold what other passes have computed ahead of the runs, whole blocks of 64 bytes.
   */
  static long prepared(List<Application> live) {
    return live.stream()
        .filter(a -> a.op() instanceof Variable v && v.storage().equals(Storage.PREPARED))
        .map(a -> (Variable) a.op())
        .mapToLong(Prepack::end)
        .max()
        .orElse(0);
  }

  private static long end(Variable v) {
    long bytes = (v.offset() + v.type().elements().constant()) * v.type().element().byteSize();
    return (bytes + 63) / 64 * 16;
  }

  static boolean isParameter(Node kernel) {
    return kernel != null
        && kernel.op() instanceof Variable v
        && v.storage().equals(Storage.PARAMETERS);
  }

  /** Whether it is a parameter or computed from parameters, in {@link Computation#PREPARE}. */
  static boolean isKnownAhead(Node x) {
    return isParameter(x)
        || x != null && x.op() instanceof Variable v && v.storage().equals(Storage.PREPARED);
  }

  private static Node pack(Rewrite rewrite, Application at, Place place, Node kernel, long[] size) {
    TensorType type =
        place.packing() instanceof PackFilter filter
            ? PackFilter.typeOf(kernel.type(), filter.window(), filter.groups())
            : PackWeights.typeOf(kernel.type(), ((PackWeights) place.packing()).precision());
    String name = place.kernel().name() + ".packed";
    Node memory = rewrite.add(new Variable(name, Storage.PREPARED, size[0], type), at).output(0);
    size[0] += (type.elements().constant() + 15) / 16 * 16;
    rewrite.add(place.packing(), at, Computation.PREPARE, memory, kernel);
    return memory;
  }

  /** A kernel and what packs it. */
  private record Place(Variable kernel, Op packing) {}
}
