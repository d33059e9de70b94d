package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * activation(a + b) of bytes, as at the end of a residual block: the numbers that the bytes stand
 * for are added in float32, the first product and the sum rounded once, and rounded half to even if
 * y is bytes too. Inputs: a, b uint8 of one shape; output y of that shape, uint8 or float32. Every
 * device gives the same bits.
 *
 * @param a of the first input, uint8
 * @param b of the second input, uint8
 * @param activation NONE or RELU
 * @param y of the output, uint8; null: float32
 */
public record QuantizedAdd(
    QuantizationParameters a,
    QuantizationParameters b,
    FusedActivation activation,
    QuantizationParameters y)
    implements Op {
  public QuantizedAdd {
    QuantizeLinear.requireFits(a, ElementType.UINT8);
    QuantizeLinear.requireFits(b, ElementType.UINT8);
    QuantizedLinear.requireFits(activation, y);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType first = in.get(0).requireElement(ElementType.UINT8, "the first input");
    if (!in.get(1).equals(first)) {
      throw new ShapeException("both inputs must be " + first + " but one is " + in.get(1));
    }
    return List.of(first.withElement(y == null ? ElementType.FLOAT32 : ElementType.UINT8));
  }

  @Override
  public void attributes(Attributes attributes) {
    attributes.bool(activation == FusedActivation.RELU);
    attributes.ints(a.zeroPoint(), b.zeroPoint(), y == null ? 0 : y.zeroPoint());
    attributes.floats(a.stepsOf(y), b.stepsOf(y));
  }
}
