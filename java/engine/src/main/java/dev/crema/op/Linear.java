package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * activation(x · kernel + bias). Inputs: x [..., in], kernel [in, units], bias [units] (optional),
 * the kernel as {@link PackWeights} stores it (optional); output [..., units]. x, kernel and bias
 * are of one floating type.
 *
 * @param activation fused into the product
 * @param precision of float32 factors
 * @param wide whether the output is float32 where the inputs are of a 16-bit type, as which it is
 *     summed; else it is of theirs
 */
public record Linear(FusedActivation activation, Precision precision, boolean wide)
    implements ActivatedOp {
  public Linear() {
    this(FusedActivation.NONE);
  }

  public Linear(FusedActivation activation) {
    this(activation, Precision.FLOAT32, false);
  }

  @Override
  public Linear withActivation(FusedActivation other) {
    return new Linear(other, precision, wide);
  }

  /** The same product of factors in another precision. */
  public Linear withPrecision(Precision other) {
    return new Linear(activation, other, wide);
  }

  /** The same product, stored in float32. */
  public Linear asWide() {
    return new Linear(activation, precision, true);
  }

  @Override
  public boolean mayLack(int input) {
    return input >= 2;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireFloating("input");
    TensorType kernel = in.get(1).requireRank(2, "kernel");
    kernel.requireElement(x.element(), "kernel");
    if (x.rank() < 2) {
      throw new ShapeException("expects [n, ..., features] but gets " + x);
    }
    if (!x.dim(-1).equals(kernel.dim(0))) {
      throw new ShapeException(
          "expects "
              + kernel.dim(0)
              + " features but gets "
              + x
              + ". Check the shape of the input before it.");
    }
    TensorType y = x.withDim(-1, kernel.dim(1));
    y = wide ? y.withElement(ElementType.FLOAT32) : y;
    TensorType bias = y.withDims(List.of(kernel.dim(1)));
    if (in.get(2) != null && !in.get(2).equals(bias)) {
      throw new ShapeException("a bias of " + bias + " is needed, got " + in.get(2));
    }
    TensorType packed = in.size() > 3 ? in.get(3) : null;
    if (packed != null && !packed.equals(PackWeights.typeOf(kernel, precision))) {
      throw new ShapeException(
          "a kernel of "
              + kernel
              + " is packed into "
              + PackWeights.typeOf(kernel, precision)
              + ", got "
              + packed);
    }
    return List.of(y);
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(activation.id()).bool(precision == Precision.BFLOAT16);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node d = activation.gradient(y.output(0), dy.get(0));
    Node x = y.input(0);
    Node kernel = y.input(1);
    Node narrow = Cast.to(x.type().element(), d);
    if (g.needs(x)) {
      g.add(
          x,
          rows(narrow)
              .then(new MatMul(false, true, precision), kernel)
              .then(new Reshape(x.type())));
    }
    if (g.needs(kernel)) {
      g.add(kernel, rows(x).then(new MatMul(true, false, precision), rows(narrow)));
    }
    if (g.needs(y.input(2))) {
      g.add(y.input(2), rows(d).then(new ReduceSum(List.of(0), false)));
    }
  }

  /** All axes but the last as one. */
  private static Node rows(Node x) {
    TensorType type = x.type();
    Dim rows = type.elements(0, type.rank() - 1);
    return type.rank() == 2 ? x : x.then(new Reshape(type.withDims(List.of(rows, type.dim(-1)))));
  }
}
