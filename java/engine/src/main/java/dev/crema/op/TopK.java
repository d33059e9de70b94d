package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * The k greatest of each row, descending: [.., c] float32 to values [.., k] and their positions
 * [.., k] int32. Equal ones come in order of position; NaN counts as the greatest.
 */
public record TopK(long k) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.FLOAT32, "input");
    if (x.rank() == 0 || k < 1 || k > x.extent(-1) || x.extent(-1) > Integer.MAX_VALUE) {
      throw new ShapeException("cannot take the " + k + " greatest of each row of " + x);
    }
    TensorType values = x.withDim(-1, Dim.of(k));
    return List.of(values, values.withElement(ElementType.INT32));
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    if (dy.get(0) != null) {
      g.add(y.input(0), y.output(1).then(new TopKGrad(y.input(0).type()), dy.get(0)));
    }
  }
}
