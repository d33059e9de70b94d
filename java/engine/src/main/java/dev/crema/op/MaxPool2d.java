package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * The maximum of each window: [n, h, w, c] → [n, oh, ow, c], or [n, l, c] → [n, ol, c] for windows
 * of height 1; float32, or uint8 of quantized models, whose maximum is that of the numbers. A NaN
 * in a window is its maximum; padding never is. The gradient flows to the first maximum in
 * row-major order.
 */
public record MaxPool2d(int height, int width, Window2d window) implements Op {
  public MaxPool2d {
    PoolTypes.requireWindow(height, width, window);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0);
    if (x.element() != ElementType.UINT8) {
      x.requireFloating("input");
    }
    return List.of(PoolTypes.output(x, height, width, window));
  }

  @Override
  public void attributes(Attributes a) {
    PoolTypes.attributes(a, height, width, window, false);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node x = y.input(0);
    g.add(x, x.then(new MaxPool2dGrad(height, width, window), y.output(0), dy.get(0)));
  }
}
