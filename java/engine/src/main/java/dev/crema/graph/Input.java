package dev.crema.graph;

import java.util.List;

/** A tensor given anew at each run. */
public record Input(String name, TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> inputs) {
    return List.of(type);
  }
}
