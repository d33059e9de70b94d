package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * dy divided by the number of elements of x that each of its elements is the mean of. Inputs: dy, x
 * (only its shape is read).
 */
public record MeanScale() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    in.get(1).requireFloating("x");
    return List.of(in.get(0).requireFloating("dy"));
  }

  @Override
  public boolean inPlace() {
    return true;
  }
}
