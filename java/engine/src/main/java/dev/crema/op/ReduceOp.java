package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.List;

/** One number of all that lie along some axes; float32 whatever floating type they are of. */
interface ReduceOp extends Op {
  /** Counted from the first, ascending. */
  List<Integer> axes();

  /** Whether the axes stay with extent 1; else they go. */
  boolean keepDims();

  @Override
  default List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireFloating("input");
    TensorType wide = x.withElement(ElementType.FLOAT32);
    int before = -1;
    for (int axis : axes()) {
      if (Axes.of(x, axis) <= before) {
        throw new ShapeException("the axes must ascend but are " + axes());
      }
      before = axis;
    }
    if (keepDims()) {
      return List.of(kept(wide));
    }
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < x.rank(); i++) {
      if (!axes().contains(i)) {
        dims.add(x.dim(i));
      }
    }
    return List.of(wide.withDims(dims));
  }

  @Override
  default void attributes(Attributes a) {
    axes().forEach(a::ints);
  }

  /** {@code x} with the axes at extent 1. */
  default TensorType kept(TensorType x) {
    List<Dim> dims = new ArrayList<>(x.dims());
    axes().forEach(axis -> dims.set(axis, Dim.of(1)));
    return x.withDims(dims);
  }

  /** The gradient of an extreme: equal ones share it. */
  default void shareAmongEqual(Application y, Node dy, Gradients g) {
    Node x = y.input(0);
    TensorType kept = kept(x.type());
    Node hits = x.then(new Equal(), y.output(0).then(new Reshape(kept)));
    Node count = hits.then(new ReduceSum(axes(), true));
    Node share = dy.then(new Reshape(kept)).then(new Div(), count);
    g.add(x, hits.then(new Mul(), share));
  }
}
