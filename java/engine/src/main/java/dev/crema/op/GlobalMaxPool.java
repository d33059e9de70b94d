package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * The maximum over all pixels of an image: [n, ..., c] → [n, c]. A NaN is the maximum; the gradient
 * flows to the first maximum.
 */
public record GlobalMaxPool() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(PoolTypes.global(in.get(0).requireFloating("input")));
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new GlobalMaxPoolGrad(), y.output(0), dy.get(0)));
  }
}
