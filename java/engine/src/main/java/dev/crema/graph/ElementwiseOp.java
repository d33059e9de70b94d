package dev.crema.graph;

import dev.crema.memory.ElementType;
import java.util.List;

/**
 * An op that treats each element alone, with one to three inputs that broadcast. Chains of them are
 * fused into one pass over memory. Inputs are float32 or of one 16-bit type, in any mix; the output
 * is of the 16-bit type as soon as one of them is, while the arithmetic is float32's. The
 * operation's name is the record's name in snake case; its function stands in the device's
 * element-wise kernels.
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
    ElementType element = ElementType.FLOAT32;
    for (TensorType x : inputs) {
      element = narrower(element, x.requireFloating("input").element());
    }
    TensorType type = inputs.get(0).withElement(element);
    for (TensorType x : inputs) {
      type = TensorType.broadcast(type, x.withElement(element));
    }
    return List.of(type);
  }

  private static ElementType narrower(ElementType a, ElementType b) {
    if (a != ElementType.FLOAT32 && b != ElementType.FLOAT32 && a != b) {
      throw new ShapeException("inputs are " + a + " and " + b + ". Cast one of them.");
    }
    return a == ElementType.FLOAT32 ? b : a;
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
