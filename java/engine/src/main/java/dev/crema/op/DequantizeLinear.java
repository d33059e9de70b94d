package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Bytes as the numbers they stand for: (q - zero point) · scale, as DequantizeLinear of ONNX opset
 * 21. Any shape, uint8 or int8 → float32.
 */
public record DequantizeLinear(QuantizationParameters parameters) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0);
    QuantizeLinear.requireFits(parameters, x.element());
    return List.of(x.withElement(ElementType.FLOAT32));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(parameters.zeroPoint()).floats(parameters.scale());
  }
}
