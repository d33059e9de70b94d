package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Window2d;
import java.util.List;

/**
 * The maximum of each window: [n, h, w, c] → [n, oh, ow, c]. Padding is never the maximum.
 *
 * @param window null: 2
 * @param strides null: as {@code window}
 * @param padding null: valid
 */
public record MaxPool2d(Size2d window, Size2d strides, Padding padding) implements Layer {
  public MaxPool2d {
    window = window == null ? Size2d.square(2) : window;
    strides = strides == null ? window : strides;
    padding = padding == null ? Padding.VALID : padding;
  }

  public static MaxPool2d of(int side) {
    return new MaxPool2d(Size2d.square(side), null, null);
  }

  public static MaxPool2d of(int side, int stride) {
    return new MaxPool2d(Size2d.square(side), Size2d.square(stride), null);
  }

  public MaxPool2d withPadding(Padding zeros) {
    return new MaxPool2d(window, strides, zeros);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    TensorType type = context.images(x);
    Window2d w = padding.window(type, window, strides, Size2d.ONE);
    return x.then(new dev.crema.op.MaxPool2d(window.height(), window.width(), w));
  }
}
