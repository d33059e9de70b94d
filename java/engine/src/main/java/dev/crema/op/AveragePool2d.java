package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * The mean of each window: [n, h, w, c] → [n, oh, ow, c], or [n, l, c] → [n, ol, c] for windows of
 * height 1.
 *
 * @param countPadding whether the zeros of the padding count in the mean
 */
public record AveragePool2d(int height, int width, Window2d window, boolean countPadding)
    implements Op {
  public AveragePool2d {
    PoolTypes.requireWindow(height, width, window);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireFloating("input");
    return List.of(PoolTypes.output(x, height, width, window));
  }

  @Override
  public void attributes(Attributes a) {
    PoolTypes.attributes(a, height, width, window, countPadding);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node x = y.input(0);
    g.add(x, dy.get(0).then(new AveragePool2dGrad(height, width, window, countPadding, x.type())));
  }
}
