package dev.crema.data;

/** Turns one example's block into another. Must be pure: several threads may call it at once. */
@FunctionalInterface
public interface RowFunction {
  /** Reads {@code in}, overwrites every element of {@code out}, keeps neither. */
  void apply(float[] in, float[] out);
}
