package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * The mean over all pixels of an image of bytes: [n, ..., c] → [n, c], uint8 → uint8 or float32, as
 * {@link QuantizedAveragePool2d} computes it.
 *
 * @param x of the input, uint8
 * @param y of the output, uint8; null: float32
 */
public record QuantizedGlobalAveragePool(QuantizationParameters x, QuantizationParameters y)
    implements Op {
  public QuantizedGlobalAveragePool {
    QuantizeLinear.requireFits(x, ElementType.UINT8);
    QuantizedLinear.requireFits(FusedActivation.NONE, y);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType image = in.get(0).requireElement(ElementType.UINT8, "input");
    TensorType type = PoolTypes.global(image);
    PoolTypes.requireCountable(image.elements(1, image.rank() - 1).constant());
    return List.of(type.withElement(y == null ? ElementType.FLOAT32 : ElementType.UINT8));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(x.zeroPoint(), y == null ? 0 : y.zeroPoint()).floats(x.stepsOf(y));
  }
}
