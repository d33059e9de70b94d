package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.AveragePool2d;
import dev.crema.op.Window2d;
import java.util.List;

/**
 * The mean of each window: [n, length, c] → [n, outLength, c]. Zeros of the padding do not count in
 * it.
 *
 * @param window null: 2
 * @param strides null: as {@code window}
 * @param padding null: valid
 */
public record AveragePool1d(Integer window, Integer strides, Padding padding) implements Layer {
  public AveragePool1d {
    window = window == null ? 2 : window;
    ConvSettings.requirePositive("window", window);
    strides = strides == null ? window : strides;
    ConvSettings.requirePositive("strides", strides);
    padding = padding == null ? Padding.VALID : padding;
  }

  public static AveragePool1d of(int window) {
    return new AveragePool1d(window, null, null);
  }

  public static AveragePool1d of(int window, int stride) {
    return new AveragePool1d(window, stride, null);
  }

  public AveragePool1d withPadding(Padding zeros) {
    return new AveragePool1d(window, strides, zeros);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    TensorType type = context.sequences(x);
    Window2d w = padding.window(type, Size2d.of(1, window), Size2d.of(1, strides), Size2d.ONE);
    return x.then(new AveragePool2d(1, window, w, false));
  }
}
