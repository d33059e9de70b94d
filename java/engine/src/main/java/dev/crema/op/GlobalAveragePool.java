package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/** The mean over all pixels of an image (Lin et al. 2013): [n, ..., c] → [n, c]. */
public record GlobalAveragePool() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(PoolTypes.global(in.get(0).requireFloating("input")));
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(new GlobalAveragePoolGrad(y.input(0).type())));
  }
}
