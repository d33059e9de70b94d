package dev.crema.data;

import java.util.List;
import java.util.Objects;

/**
 * One example that an iterator gives. The arrays are read, not kept.
 *
 * @param inputs one array for each input, row-major
 * @param target k numbers, or none where the target is a class or there is no target
 * @param label class number, or -1 where the target isn't a class
 */
public record Example(List<float[]> inputs, float[] target, int label) {
  private static final float[] NONE = {};

  public Example {
    inputs = List.copyOf(inputs);
    Objects.requireNonNull(target, "target");
  }

  public static Example classified(float[] x, int label) {
    return new Example(List.of(x), NONE, label);
  }

  public static Example valued(float[] x, float... y) {
    return new Example(List.of(x), y, -1);
  }

  public static Example unlabelled(float[] x) {
    return new Example(List.of(x), NONE, -1);
  }
}
