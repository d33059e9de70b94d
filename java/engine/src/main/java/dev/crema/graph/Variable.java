package dev.crema.graph;

import java.util.List;

/**
 * A tensor that lies in a {@link Storage}, {@code offset} elements from its start. Variables may
 * overlap: all parameters as one vector, and each weight by itself. What is prepared may be of any
 * type; its offset counts elements of that.
 */
public record Variable(String name, Storage storage, long offset, TensorType type) implements Op {
  public Variable {
    boolean fits = type.element() == storage.element() || storage.equals(Storage.PREPARED);
    if (!fits) {
      throw new ShapeException(
          name + " is " + type + " but its storage holds " + storage.element());
    }
    if (!type.elements().isConstant()) {
      throw new ShapeException(
          name + " is " + type + "; a variable cannot depend on the batch size");
    }
    if (offset < 0) {
      throw new ShapeException(name + " has the negative offset " + offset);
    }
  }

  @Override
  public List<TensorType> infer(List<TensorType> inputs) {
    return List.of(type);
  }
}
