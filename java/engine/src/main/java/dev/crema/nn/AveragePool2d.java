package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Window2d;
import java.util.List;

/**
 * The mean of each window: [n, h, w, c] → [n, oh, ow, c]. Zeros of the padding do not count in it.
 *
 * @param window null: 2
 * @param strides null: as {@code window}
 * @param padding null: valid
 */
public record AveragePool2d(Size2d window, Size2d strides, Padding padding) implements Layer {
  public AveragePool2d {
    window = window == null ? Size2d.square(2) : window;
    strides = strides == null ? window : strides;
    padding = padding == null ? Padding.VALID : padding;
  }

  public static AveragePool2d of(int side) {
    return new AveragePool2d(Size2d.square(side), null, null);
  }

  public static AveragePool2d of(int side, int stride) {
    return new AveragePool2d(Size2d.square(side), Size2d.square(stride), null);
  }

  public AveragePool2d withPadding(Padding zeros) {
    return new AveragePool2d(window, strides, zeros);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    TensorType type = context.images(x);
    Window2d w = padding.window(type, window, strides, Size2d.ONE);
    return x.then(new dev.crema.op.AveragePool2d(window.height(), window.width(), w, false));
  }
}
