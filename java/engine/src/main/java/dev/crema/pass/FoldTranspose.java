package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Node;
import dev.crema.graph.Variable;
import dev.crema.op.MatMul;
import dev.crema.op.Transpose;

/** Lets a matrix product read a transposed operand as it lies. */
public record FoldTranspose() implements Pass {
  @Override
  public Rewrite apply(Computation from) {
    Rewrite rewrite = new Rewrite(from);
    for (Application a : from.live()) {
      if (!(a.op() instanceof MatMul product)) {
        rewrite.copy(a);
        continue;
      }
      Node[] in = rewrite.inputs(a);
      boolean first = isTransposed(in[0]);
      boolean second = isTransposed(in[1]);
      in[0] = first ? in[0].application().input(0) : in[0];
      in[1] = second ? in[1].application().input(0) : in[1];
      MatMul folded =
          new MatMul(
              product.transposeA() != first,
              product.transposeB() != second,
              product.precision(),
              product.wide());
      rewrite.put(a, rewrite.add(folded, a, in));
    }
    return rewrite;
  }

  /** Whether the last two axes were swapped, of what no write can change meanwhile. */
  private static boolean isTransposed(Node x) {
    return x.op() instanceof Transpose t
        && x.type().rank() >= 2
        && !(Computation.root(x.application().input(0)).op() instanceof Variable)
        && t.equals(Transpose.swap(x.type().rank(), -1, -2));
  }
}
