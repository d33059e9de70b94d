package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * The same values of each input as a 16-bit type, in one launch; rounded as {@link Cast} rounds.
 * Inputs are float32; there is an output for each.
 */
public record CastAll(ElementType element) implements Op {
  public CastAll {
    if (!element.isFloating() || element == ElementType.FLOAT32) {
      throw new ShapeException("casts are to BFLOAT16 or FLOAT16 but are to " + element);
    }
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return in.stream()
        .map(x -> x.requireElement(ElementType.FLOAT32, "input").withElement(element))
        .toList();
  }
}
