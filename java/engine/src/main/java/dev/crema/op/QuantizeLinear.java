package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Numbers as bytes: saturate(x / scale, rounded half to even, + zero point), as QuantizeLinear of
 * ONNX opset 21. Any shape, float32 → uint8 or int8. NaN becomes the lowest number of the type.
 *
 * @param element UINT8 or INT8
 */
public record QuantizeLinear(QuantizationParameters parameters, ElementType element) implements Op {
  public QuantizeLinear {
    requireFits(parameters, element);
  }

  static void requireFits(QuantizationParameters parameters, ElementType element) {
    boolean signed = element == ElementType.INT8;
    if (!signed && element != ElementType.UINT8) {
      throw new ShapeException("quantization is to INT8 or UINT8, got " + element);
    }
    int lowest = signed ? -128 : 0;
    int zeroPoint = parameters.zeroPoint();
    if (zeroPoint < lowest || zeroPoint > lowest + 255) {
      throw new ShapeException("the zero point " + zeroPoint + " is no number of " + element);
    }
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(in.get(0).requireElement(ElementType.FLOAT32, "input").withElement(element));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(parameters.zeroPoint()).floats(parameters.scale());
  }
}
