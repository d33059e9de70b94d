package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Convolution of bytes, channels last: activation(conv(x - zero point, kernel) + bias), summed in
 * int32; the sums are scaled once, in float32, and rounded half to even if y is bytes too, as
 * QLinearConv of ONNX with a scale for each output channel. Padding stands for 0. Inputs: x [n, h,
 * w, channels] uint8, packed by {@link PackQuantized} with the same {@code x} and {@code y} and
 * {@link #run}; output y [n, oh, ow, units], uint8 or float32. Every device gives the same bits.
 *
 * @param height rows of a window
 * @param width columns of a window
 * @param units output channels
 * @param activation NONE or RELU
 * @param x of the input, uint8
 * @param y of the output, uint8; null: float32
 */
public record QuantizedConv2d(
    int height,
    int width,
    int units,
    Window2d window,
    FusedActivation activation,
    QuantizationParameters x,
    QuantizationParameters y)
    implements Op {
  public QuantizedConv2d {
    QuantizedLinear.requireFits(activation, y);
    QuantizeLinear.requireFits(x, ElementType.UINT8);
  }

  /**
   * Rows of a kernel [height, width, channels, units], seen as [height · width · channels, units],
   * whose inputs follow one another in an image.
   */
  public static long run(Window2d window, long width, long channels) {
    return window.dilationWidth() == 1 ? Math.multiplyExact(width, channels) : channels;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType image = in.get(0).requireElement(ElementType.UINT8, "input");
    long channels = image.requireRank(4, "input").extent(-1);
    if (channels == 0 || height < 1 || width < 1 || units < 1) {
      throw new ShapeException(
          "kernel [" + height + ", " + width + ", " + channels + ", " + units + "] is empty");
    }
    long rows = Math.multiplyExact((long) height * width, channels);
    TensorType packed = PackQuantized.typeOf(rows, run(window, width, channels), units);
    if (!in.get(1).equals(packed)) {
      throw new ShapeException("packed must be " + packed + " but is " + in.get(1));
    }
    TensorType type = window.over(image, height, width, units);
    return List.of(type.withElement(y == null ? ElementType.FLOAT32 : ElementType.UINT8));
  }

  @Override
  public void attributes(Attributes a) {
    ConvTypes.attributes(a, window, 1, activation);
    a.ints(height, width, x.zeroPoint(), y == null ? 0 : y.zeroPoint());
  }
}
