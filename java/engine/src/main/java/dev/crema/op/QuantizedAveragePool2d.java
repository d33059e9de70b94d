package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * The mean of each window of bytes: [n, h, w, c] → [n, oh, ow, c], or [n, l, c] → [n, ol, c] for
 * windows of height 1; uint8 → uint8 or float32. The sums are exact; a mean is scaled once, in
 * float32, and rounded half to even if y is bytes too. Every device gives the same bits.
 *
 * @param countPadding whether the zeros of the padding count in the mean
 * @param x of the input, uint8
 * @param y of the output, uint8; null: float32
 */
public record QuantizedAveragePool2d(
    int height,
    int width,
    Window2d window,
    boolean countPadding,
    QuantizationParameters x,
    QuantizationParameters y)
    implements Op {
  public QuantizedAveragePool2d {
    PoolTypes.requireWindow(height, width, window);
    QuantizeLinear.requireFits(x, ElementType.UINT8);
    QuantizedLinear.requireFits(FusedActivation.NONE, y);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType image = in.get(0).requireElement(ElementType.UINT8, "input");
    PoolTypes.requireCountable((long) height * width);
    TensorType type = PoolTypes.output(image, height, width, window);
    return List.of(type.withElement(y == null ? ElementType.FLOAT32 : ElementType.UINT8));
  }

  @Override
  public void attributes(Attributes a) {
    PoolTypes.attributes(a, height, width, window, countPadding);
    a.ints(x.zeroPoint(), y == null ? 0 : y.zeroPoint()).floats(x.stepsOf(y));
  }
}
