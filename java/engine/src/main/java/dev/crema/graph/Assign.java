package dev.crema.graph;

import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Stores a tensor in a variable of the same type; with {@code accumulate} adds it. Inputs:
 * variable, value. No outputs. A plan computes the value right into the variable where it can.
 */
public record Assign(boolean accumulate) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    if (!in.get(0).equals(in.get(1))) {
      throw new ShapeException("a variable of type " + in.get(0) + " cannot hold " + in.get(1));
    }
    if (accumulate) {
      in.get(0).requireElement(ElementType.FLOAT32, "a variable that is added to");
    }
    return List.of();
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(accumulate);
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
