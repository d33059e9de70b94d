package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/** x · kernel + bias. [..., in], [in, units], [units] → [..., units]. */
public record Linear() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0);
    TensorType kernel = in.get(1).requireRank(2, "kernel");
    if (!x.dim(-1).equals(kernel.dim(0))) {
      throw new ShapeException("expects " + kernel.dim(0) + " features but gets " + x);
    }
    return List.of(x.withDim(-1, kernel.dim(1)));
  }
}
