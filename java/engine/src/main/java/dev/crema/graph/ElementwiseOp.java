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

  /** How many inputs it has. */
  default int arity() {
    return 1;
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
    requireArity(inputs);
    TensorType type = inputs.get(0);
    for (TensorType other : inputs) {
      type =
          TensorType.broadcast(type, other.requireElement(Storage.PARAMETERS.element(), "input"));
    }
    return List.of(type);
  }

  /** For those with a rule of their own. */
  default void requireArity(List<TensorType> inputs) {
    if (inputs.size() != arity()) {
      throw new ShapeException("takes " + arity() + " inputs but gets " + inputs);
    }
  }

  @Override
  default void attributes(Attributes a) {
    throw new IllegalStateException("A plan writes element-wise ops as Fused");
  }

  @Override
  default boolean inPlace() {
    return true;
  }
}
