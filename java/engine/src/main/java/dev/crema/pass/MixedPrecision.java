package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Op;
import dev.crema.graph.Precision;
import dev.crema.op.Attention;
import dev.crema.op.AttentionGrad;
import dev.crema.op.Linear;
import dev.crema.op.MatMul;

/**
 * For devices that keep float32 in memory: has dense layers, matrix products and attention, those
 * of their gradients too, read their factors in a precision; sums, and all that is stored, stay
 * float32. It trades accuracy for speed: plans use it only when they are asked to.
 */
public record MixedPrecision(Precision precision) implements Pass {
  @Override
  public Rewrite apply(Computation from) {
    Rewrite rewrite = new Rewrite(from);
    for (Application a : from.live()) {
      Op op = a.op();
      if (op instanceof Linear linear) {
        op = linear.withPrecision(precision);
      } else if (op instanceof MatMul product) {
        op = product.withPrecision(precision);
      } else if (op instanceof Attention attention) {
        op = attention.withPrecision(precision);
      } else if (op instanceof AttentionGrad gradient) {
        op = gradient.withPrecision(precision);
      }
      rewrite.put(a, rewrite.add(op, a, rewrite.inputs(a)));
    }
    return rewrite;
  }
}
