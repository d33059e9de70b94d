package dev.crema.graph;

import java.util.Arrays;
import java.util.List;

/** Values fixed when the graph is built, float32, row-major. The array is not copied; keep it. */
public record Constant(float[] values, TensorType type) implements Op {
  public Constant {
    if (!type.elements().equals(Dim.of(values.length))) {
      throw new ShapeException("a constant of type " + type + " got " + values.length + " values");
    }
  }

  public static Constant scalar(float value) {
    return new Constant(new float[] {value}, TensorType.of());
  }

  public static Constant vector(float... values) {
    return new Constant(values, TensorType.of(values.length));
  }

  @Override
  public List<TensorType> infer(List<TensorType> inputs) {
    return List.of(type);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Constant c && type.equals(c.type) && Arrays.equals(values, c.values);
  }

  @Override
  public int hashCode() {
    return 31 * type.hashCode() + Arrays.hashCode(values);
  }
}
