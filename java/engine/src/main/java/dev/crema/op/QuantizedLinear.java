package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * A dense layer of bytes: activation((x - zero point) · kernel + bias), summed in int32; the sums
 * are scaled once, in float32, and rounded half to even if y is bytes too, as QLinearMatMul of ONNX
 * opset 21 with a scale for each column. Inputs: x [..., in] uint8, packed by {@link PackQuantized}
 * with the same {@code y}; output y [..., units], uint8 or float32. Every device gives the same
 * bits.
 *
 * @param units outputs
 * @param activation NONE or RELU
 * @param y of the output, uint8; null: float32
 */
public record QuantizedLinear(int units, FusedActivation activation, QuantizationParameters y)
    implements Op {
  public QuantizedLinear {
    requireFits(activation, y);
  }

  static void requireFits(FusedActivation activation, QuantizationParameters y) {
    if (activation != FusedActivation.NONE && activation != FusedActivation.RELU) {
      throw new ShapeException("a quantized layer applies NONE or RELU, got " + activation);
    }
    if (y != null) {
      QuantizeLinear.requireFits(y, ElementType.UINT8);
    }
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.UINT8, "input");
    TensorType result = requirePacked(x, in.get(1), units);
    return List.of(y == null ? result.withElement(ElementType.FLOAT32) : result);
  }

  /** Checks that a packed kernel is for x; gives the type of x with so many outputs. */
  static TensorType requirePacked(TensorType x, TensorType packed, int units) {
    if (x.rank() < 2 || !x.dim(-1).isConstant()) {
      throw new ShapeException("expects [n, ..., features] but gets " + x);
    }
    TensorType needed = PackQuantized.typeOf(x.extent(-1), x.extent(-1), units);
    if (!packed.equals(needed)) {
      throw new ShapeException("packed must be " + needed + " but is " + packed);
    }
    return x.withDim(-1, Dim.of(units));
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(activation == FusedActivation.RELU).ints(y == null ? 0 : y.zeroPoint());
  }
}
