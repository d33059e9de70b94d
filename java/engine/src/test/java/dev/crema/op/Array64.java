package dev.crema.op;

import dev.crema.memory.Shape;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;

/** A float64 array on the heap: what references are computed in. Row-major. */
public record Array64(Shape shape, double[] values) {
  public Array64 {
    if (shape.elements() != values.length) {
      throw new IllegalArgumentException(shape + " does not hold " + values.length + " values");
    }
  }

  public static Array64 zeros(long... dims) {
    Shape shape = Shape.of(dims);
    return new Array64(shape, new double[(int) shape.elements()]);
  }

  /** Values that float32 holds exactly, drawn from a normal distribution. */
  public static Array64 gaussian(long seed, long... dims) {
    Array64 a = zeros(dims);
    java.util.Random random = new java.util.Random(seed);
    for (int i = 0; i < a.values.length; i++) {
      a.values[i] = (float) random.nextGaussian();
    }
    return a;
  }

  /** Values that float32 holds exactly, uniform in [low, high). */
  public static Array64 uniform(long seed, double low, double high, long... dims) {
    Array64 a = zeros(dims);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < a.values.length; i++) {
      a.values[i] = (float) random.nextDouble(low, high);
    }
    return a;
  }

  /** Whole numbers in [0, bound). */
  public static Array64 integers(long seed, int bound, long... dims) {
    Array64 a = zeros(dims);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < a.values.length; i++) {
      a.values[i] = random.nextInt(bound);
    }
    return a;
  }

  public Array64 map(DoubleUnaryOperator f) {
    double[] result = new double[values.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = f.applyAsDouble(values[i]);
    }
    return new Array64(shape, result);
  }

  public Array64 reshape(long... dims) {
    return new Array64(Shape.of(dims), values);
  }

  public Array64 copy() {
    return new Array64(shape, values.clone());
  }

  public int dim(int axis) {
    return (int) shape.dim(axis);
  }

  public int size() {
    return values.length;
  }
}
