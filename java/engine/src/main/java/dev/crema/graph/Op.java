package dev.crema.graph;

import java.util.List;

/**
 * One operation: its shape rule, its gradient and its attributes. Its inputs are given where it is
 * applied ({@link Graph#add}), so that one op value can stand in many places and passes can rewire
 * a graph. Implementations are records named as the field names the operation; the kernels of every
 * device bear the same name in snake case.
 */
public interface Op {
  /** Name of the kernel that computes it: the record's name in snake case. */
  default String kernel() {
    return Names.snakeCase(getClass().getSimpleName());
  }

  /** Whether that input may be absent: null. */
  default boolean mayLack(int input) {
    return false;
  }

  /**
   * The types of the outputs. An absent optional input is null.
   *
   * @throws ShapeException if the inputs do not fit; the graph adds where that was
   */
  List<TensorType> infer(List<TensorType> inputs);

  /**
   * Adds to {@code gradients} what flows back into each input.
   *
   * @param y this op as it was applied, with inputs and outputs
   * @param dy gradient of the loss in each output; null for an output that the loss does not use
   */
  default void gradient(Application y, List<Node> dy, Gradients gradients) {
    throw new ShapeException(
        "no gradient is defined for " + getClass().getSimpleName() + ". Keep it out of the loss.");
  }

  /** Writes the constants that the kernel reads, in the order that the kernel's comment gives. */
  default void attributes(Attributes attributes) {}

  /** Indices of the inputs that the kernel changes in place (variables: moments, running means). */
  default int[] writes() {
    return new int[0];
  }

  /** Index of the input whose memory output 0 simply is (a reshape), or -1. */
  default int alias() {
    return -1;
  }

  /** Whether the kernel may write output 0 over an input of the same type. */
  default boolean inPlace() {
    return false;
  }
}
