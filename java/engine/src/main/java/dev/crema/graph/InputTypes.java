package dev.crema.graph;

import java.util.AbstractList;
import java.util.List;

/** The types that an op is given; whoever asks for more than there are is told so. */
final class InputTypes extends AbstractList<TensorType> {
  private final List<TensorType> types;

  InputTypes(List<TensorType> types) {
    this.types = types;
  }

  @Override
  public TensorType get(int i) {
    if (i >= types.size()) {
      throw new ShapeException("needs at least " + (i + 1) + " inputs but gets " + types);
    }
    return types.get(i);
  }

  @Override
  public int size() {
    return types.size();
  }
}
