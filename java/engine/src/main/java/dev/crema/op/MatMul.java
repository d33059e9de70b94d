package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Precision;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * Matrix product over the last two axes, [..., m, k] · [..., k, n] → [..., m, n]; the axes before
 * them broadcast. Both are of one floating type.
 *
 * @param transposeA whether a is stored [..., k, m]
 * @param transposeB whether b is stored [..., n, k]
 * @param precision of float32 factors
 * @param wide whether the product is float32 where the factors are of a 16-bit type, as which it is
 *     summed; else it is of theirs
 */
public record MatMul(boolean transposeA, boolean transposeB, Precision precision, boolean wide)
    implements Op {
  public MatMul(boolean transposeA, boolean transposeB) {
    this(transposeA, transposeB, Precision.FLOAT32);
  }

  public MatMul(boolean transposeA, boolean transposeB, Precision precision) {
    this(transposeA, transposeB, precision, false);
  }

  /** The same product of factors in another precision. */
  public MatMul withPrecision(Precision other) {
    return new MatMul(transposeA, transposeB, other, wide);
  }

  /** The same product, stored in float32. */
  public MatMul asWide() {
    return new MatMul(transposeA, transposeB, precision, true);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType a = in.get(0).requireFloating("a");
    TensorType b = in.get(1).requireElement(a.element(), "b");
    if (a.rank() < 2 || b.rank() < 2) {
      throw new ShapeException("needs matrices but gets " + a + " and " + b);
    }
    Dim m = a.dim(transposeA ? -1 : -2);
    Dim n = b.dim(transposeB ? -2 : -1);
    Dim k = a.dim(transposeA ? -2 : -1);
    if (!k.equals(b.dim(transposeB ? -1 : -2))) {
      throw new ShapeException(
          "the inner extents of "
              + show(a, transposeA)
              + " and "
              + show(b, transposeB)
              + " differ");
    }
    TensorType lead =
        TensorType.broadcast(
            a.withDims(a.dims().subList(0, a.rank() - 2)),
            b.withDims(b.dims().subList(0, b.rank() - 2)));
    List<Dim> dims = new ArrayList<>(lead.dims());
    dims.add(m);
    dims.add(n);
    TensorType y = a.withDims(dims);
    return List.of(wide ? y.withElement(ElementType.FLOAT32) : y);
  }

  private static String show(TensorType type, boolean transposed) {
    return type + (transposed ? " (transposed)" : "");
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(transposeA).bool(transposeB).bool(precision == Precision.BFLOAT16);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node a = y.input(0);
    Node b = y.input(1);
    Node d = Cast.to(a.type().element(), dy.get(0));
    if (g.needs(a)) {
      g.add(
          a,
          transposeA
              ? b.then(new MatMul(transposeB, true, precision), d)
              : d.then(new MatMul(false, !transposeB, precision), b));
    }
    if (g.needs(b)) {
      g.add(
          b,
          transposeB
              ? d.then(new MatMul(true, transposeA, precision), a)
              : a.then(new MatMul(!transposeA, false, precision), d));
    }
  }
}
