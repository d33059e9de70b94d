package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.op.ActivatedOp;
import dev.crema.op.Conv2d;
import dev.crema.op.Linear;
import dev.crema.op.PackSparse;
import dev.crema.op.SparseLinear;
import dev.crema.op.Window2d;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes dense layers and convolutions of single pixels without the weights that are 0, where
 * that is chosen. For plans that do not change parameters, after {@link FuseActivation} and before
 * {@link Prepack}; products in bfloat16 are left as they are.
 *
 * @param nonZeros what is not 0 of each kernel that is mostly zero, by the variable's name
 * @param capacity most examples of a batch
 * @param choice decides for each product
 */
public record Sparsify(Map<String, NonZeros> nonZeros, long capacity, Choice choice)
    implements Pass {
  private static final Window2d PIXELS = Window2d.valid(1, 1);

  /** Whether a product is to be computed without the zeros of its kernel. */
  @FunctionalInterface
  public interface Choice {
    /**
     * @param product of a {@link Linear} or a {@link Conv2d} of single pixels: x, kernel, bias
     * @param nonZeros of its kernel
     */
    boolean pays(Application product, NonZeros nonZeros);
  }

  public Sparsify {
    nonZeros = Map.copyOf(nonZeros);
  }

  @Override
  public Rewrite apply(Computation from) {
    Rewrite rewrite = new Rewrite(from);
    List<Application> live = from.live();
    boolean changes = Prepack.changesVariables(from, live);
    Map<Place, Node> packed = new HashMap<>();
    long[] size = {Prepack.prepared(live)};
    for (Application a : live) {
      NonZeros weights = changes ? null : nonZeros(a);
      if (weights == null || !choice.pays(a, weights)) {
        rewrite.copy(a);
        continue;
      }
      Node[] in = rewrite.inputs(a);
      PackSparse packing = new PackSparse(examples(a.input(0).type()));
      Node memory =
          packed.computeIfAbsent(
              new Place((Variable) in[1].op(), packing),
              place -> pack(rewrite, a, place, in[1], weights, size));
      Node bias = in.length > 2 ? in[2] : null;
      Op sparse = new SparseLinear(((ActivatedOp) a.op()).activation());
      rewrite.put(a, rewrite.add(sparse, a, in[0], memory, in[1], bias));
    }
    return rewrite;
  }

  /** What is not 0, if it is a product with one of the kernels; else null. */
  private NonZeros nonZeros(Application a) {
    boolean product =
        a.op() instanceof Linear linear && linear.precision() == Precision.FLOAT32
            || a.op() instanceof Conv2d conv
                && conv.window().equals(PIXELS)
                && conv.groups() == 1
                && a.input(1).type().elements(0, 2).constant() == 1;
    return product
            && a.input(1).op() instanceof Variable v
            && v.storage().equals(Storage.PARAMETERS)
        ? nonZeros.get(v.name())
        : null;
  }

  private long examples(TensorType x) {
    return x.elements(0, x.rank() - 1).at(capacity);
  }

  private static Node pack(
      Rewrite rewrite, Application at, Place place, Node kernel, NonZeros nonZeros, long[] size) {
    TensorType type = place.packing().typeOf(kernel.type(), nonZeros.weights());
    boolean few = place.packing().examples() <= PackSparse.FEW;
    String name = place.kernel().name() + ".sparse" + (few ? place.packing().examples() : "");
    Node memory = rewrite.add(new Variable(name, Storage.PREPARED, size[0], type), at).output(0);
    size[0] += (type.elements().constant() + 15) / 16 * 16;
    rewrite.add(place.packing(), at, Computation.PREPARE, memory, kernel);
    return memory;
  }

  /** A kernel as it is to be packed. */
  private record Place(Variable kernel, PackSparse packing) {}
}
