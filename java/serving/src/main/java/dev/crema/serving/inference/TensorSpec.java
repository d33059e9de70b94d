package dev.crema.serving.inference;

import dev.crema.memory.ElementType;
import java.util.List;
import java.util.Objects;

/**
 * A named input or output of a model.
 *
 * @param shape extents, the batch first as -1
 */
public record TensorSpec(String name, ElementType type, List<Long> shape) {
  public TensorSpec {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    shape = List.copyOf(shape);
  }

  /** Elements of one example. */
  public long elementsPerExample() {
    return shape.stream().skip(1).reduce(1L, Math::multiplyExact);
  }

  @Override
  public String toString() {
    return name + " " + type + shape;
  }
}
