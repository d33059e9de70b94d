package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/** Logarithm of the softmax over the last axis: x − log Σ eˣ. [..., c] → [..., c]. */
public record LogSoftmax() implements Op {
  /** Over any axis, negative ones counted from the last: moved to the end and back. */
  public static Node over(Node x, int axis) {
    int at = x.type().axis(axis);
    if (at == x.type().rank() - 1) {
      return x.then(new LogSoftmax());
    }
    Transpose swap = Transpose.swap(x.type().rank(), at, -1);
    return x.then(swap).then(new LogSoftmax()).then(swap);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireFloating("input");
    x.axis(-1);
    return List.of(x);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.output(0).then(new LogSoftmaxGrad(), dy.get(0)));
  }

  @Override
  public boolean inPlace() {
    return true;
  }
}
