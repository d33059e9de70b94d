package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/** Euclidean norm of all elements, summed in float64: [p] → []. */
public record GlobalNorm() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    in.get(0).requireElement(ElementType.FLOAT32, "input");
    return List.of(TensorType.of());
  }
}
