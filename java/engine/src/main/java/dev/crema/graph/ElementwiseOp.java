package dev.crema.graph;

import java.util.List;

/**
 * An op that treats each element alone, with one to three inputs that broadcast. Chains of them are
 * fused into one pass over memory. The operation's name is the record's name in snake case; its
 * function stands in the device's element-wise kernels.
 */
public interface ElementwiseOp extends Op {
  /** Name of the operation on the device. */
  default String operation() {
    return Names.snakeCase(getClass().getSimpleName());
  }

  /** Constants that the operation reads. */
  default double[] parameters() {
    return new double[0];
  }

  @Override
  default String kernel() {
    return "elementwise";
  }

  @Override
  default List<TensorType> infer(List<TensorType> inputs) {
    TensorType type = inputs.get(0);
    for (TensorType other : inputs) {
      type =
          TensorType.broadcast(type, other.requireElement(Storage.PARAMETERS.element(), "input"));
    }
    arity(inputs.size());
    return List.of(type);
  }

  @Override
  default void attributes(Attributes a) {
    throw new IllegalStateException("A plan writes element-wise ops as Fused");
  }

  @Override
  default boolean inPlace() {
    return true;
  }

  private static void arity(int inputs) {
    if (inputs < 1 || inputs > 3) {
      throw new ShapeException("an element-wise op has one to three inputs, got " + inputs);
    }
  }
}
