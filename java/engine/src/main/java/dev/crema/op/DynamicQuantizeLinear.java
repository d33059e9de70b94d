package dev.crema.op;

import dev.crema.graph.Dim;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Rows of numbers as bytes by the range that each turns out to have: every row (the last axis) as
 * DynamicQuantizeLinear of ONNX opset 11 treats a tensor, bit for bit; x of one axis is one row. A
 * row's bytes do not depend on the others. [..., n] float32 → [..., n] uint8, scales [..., 1]
 * float32, zero points [..., 1] uint8:
 *
 * <ul>
 *   <li>scale = (max(x, 0) - min(x, 0)) / 255,
 *   <li>zero point = -min(x, 0) / scale, rounded half to even,
 *   <li>bytes = saturate(x / scale, rounded half to even, + zero point).
 * </ul>
 *
 * <p>Where that has no meaning, bytes and zero point are 0, and the scale is 1 for a row of zeros
 * (or of numbers so small that the scale would be below the smallest normal number), NaN for a row
 * that holds NaN, infinity for one whose range is not finite: a product of the last two is NaN.
 */
public record DynamicQuantizeLinear() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.FLOAT32, "input");
    if (x.rank() < 1) {
      throw new ShapeException("expects rows, [..., n], but gets " + x);
    }
    TensorType one = x.withDim(-1, Dim.of(1));
    return List.of(x.withElement(ElementType.UINT8), one, one.withElement(ElementType.UINT8));
  }
}
