package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.op.Linear;
import dev.crema.op.PackWeights;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Packs the weights of dense layers ahead of the runs, in {@link Computation#PREPARE}, for products
 * of more than a few rows: 8 rows of 1024 x 1024 take three quarters of the time. For plans that do
 * not change parameters; one that does is left as it is.
 */
public record Prepack() implements Pass {
  @Override
  public Rewrite apply(Computation from) {
    Rewrite rewrite = new Rewrite(from);
    List<Application> live = from.live();
    boolean changes = changesVariables(from, live);
    Map<Place, Node> packed = new HashMap<>();
    long[] size = {prepared(live)};
    for (Application a : live) {
      if (changes || !(a.op() instanceof Linear linear) || !isParameter(a.input(1))) {
        rewrite.copy(a);
        continue;
      }
      Node[] in = rewrite.inputs(a);
      Node kernel = in[1];
      Node memory =
          packed.computeIfAbsent(
              new Place((Variable) kernel.op(), linear.precision()),
              place -> pack(rewrite, a, place, kernel, size));
      Node bias = in.length > 2 ? in[2] : null;
      rewrite.put(a, rewrite.add(a.op(), a, in[0], kernel, bias, memory));
    }
    return rewrite;
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
    return kernel.op() instanceof Variable v && v.storage().equals(Storage.PARAMETERS);
  }

  private static Node pack(Rewrite rewrite, Application at, Place place, Node kernel, long[] size) {
    TensorType type = PackWeights.typeOf(kernel.type(), place.precision());
    String name = place.kernel().name() + ".packed";
    Node memory = rewrite.add(new Variable(name, Storage.PREPARED, size[0], type), at).output(0);
    size[0] += (type.elements().constant() + 15) / 16 * 16;
    rewrite.add(new PackWeights(place.precision()), at, Computation.PREPARE, memory, kernel);
    return memory;
  }

  /** A kernel as it is to be packed. */
  private record Place(Variable kernel, Precision precision) {}
}
