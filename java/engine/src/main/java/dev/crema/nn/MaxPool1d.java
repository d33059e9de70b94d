package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.MaxPool2d;
import dev.crema.op.Window2d;
import java.util.List;

/**
 * The maximum of each window: [n, length, c] → [n, outLength, c]. Padding is never the maximum.
 *
 * @param window null: 2
 * @param strides null: as {@code window}
 * @param padding null: valid
 */
public record MaxPool1d(Integer window, Integer strides, Padding padding) implements Layer {
  public MaxPool1d {
    window = window == null ? 2 : window;
    ConvSettings.requirePositive("window", window);
    strides = strides == null ? window : strides;
    ConvSettings.requirePositive("strides", strides);
    padding = padding == null ? Padding.VALID : padding;
  }

  public static MaxPool1d of(int window) {
    return new MaxPool1d(window, null, null);
  }

  public static MaxPool1d of(int window, int stride) {
    return new MaxPool1d(window, stride, null);
  }

  public MaxPool1d withPadding(Padding zeros) {
    return new MaxPool1d(window, strides, zeros);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    TensorType type = context.sequences(x);
    Window2d w = padding.window(type, Size2d.of(1, window), Size2d.of(1, strides), Size2d.ONE);
    return x.then(new MaxPool2d(1, window, w));
  }
}
