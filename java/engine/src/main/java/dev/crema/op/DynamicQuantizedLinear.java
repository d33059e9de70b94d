package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * A dense layer of bytes whose rows have scales and zero points of their own, as {@link
 * DynamicQuantizeLinear} gives them: activation((x - zero point) · kernel · scales + bias), summed
 * in int32, as MatMulInteger of ONNX opset 10 with a scale for each row and column. Inputs: x [...,
 * in] uint8, scales [..., 1] float32, zero points [..., 1] uint8, packed by {@link PackQuantized}
 * without parameters of x, bias [units] (optional); output [..., units] float32. Every device gives
 * the same bits.
 *
 * @param units outputs
 * @param activation NONE or RELU
 */
public record DynamicQuantizedLinear(int units, FusedActivation activation) implements Op {
  public DynamicQuantizedLinear {
    QuantizedLinear.requireFits(activation, null);
  }

  @Override
  public boolean mayLack(int input) {
    return input == 4;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.UINT8, "input");
    TensorType y =
        QuantizedLinear.requirePacked(x, in.get(3), units).withElement(ElementType.FLOAT32);
    TensorType one = x.withDim(-1, Dim.of(1));
    requireSame("scales", one.withElement(ElementType.FLOAT32), in.get(1));
    requireSame("zero points", one, in.get(2));
    if (in.size() > 4 && in.get(4) != null) {
      requireSame("bias", TensorType.of(units), in.get(4));
    }
    return List.of(y);
  }

  static void requireSame(String what, TensorType expected, TensorType got) {
    if (!got.equals(expected)) {
      throw new ShapeException(what + " must be " + expected + " but is " + got);
    }
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(activation == FusedActivation.RELU);
  }
}
