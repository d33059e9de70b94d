package dev.crema.data;

import java.util.List;
import java.util.Objects;

/**
 * One example that an iterator gives. The arrays are read, not kept.
 *
 * @param inputs one array for each input, row-major; of an INT32 input whole numbers
 * @param target k numbers, or none where the target is a class or there is not one target
 * @param label class number, or -1 where the target isn't a class
 * @param targets where there are several targets an array for each, a class as its number; else
 *     empty
 */
public record Example(List<float[]> inputs, float[] target, int label, List<float[]> targets) {
  private static final float[] NONE = {};

  public Example {
    inputs = List.copyOf(inputs);
    targets = List.copyOf(targets);
    Objects.requireNonNull(target, "target");
  }

  /** An example with at most one target. */
  public Example(List<float[]> inputs, float[] target, int label) {
    this(inputs, target, label, List.of());
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

  /** An example with several targets: k numbers each, or the number of a class. */
  public static Example of(List<float[]> inputs, List<float[]> targets) {
    return new Example(inputs, NONE, -1, targets);
  }
}
