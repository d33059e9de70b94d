package dev.crema.graph;

import java.util.Arrays;
import java.util.function.ToIntFunction;

/** The constants of one application of an op, as its kernel reads them: integers, then reals. */
public final class Attributes {
  private final ToIntFunction<String> elementwise;
  private long[] ints = new long[8];
  private double[] floats = new double[4];
  private int intCount;
  private int floatCount;

  /**
   * @param elementwise the device's number for an element-wise operation's name
   */
  public Attributes(ToIntFunction<String> elementwise) {
    this.elementwise = elementwise;
  }

  public Attributes ints(long... values) {
    for (long v : values) {
      if (intCount == ints.length) {
        ints = Arrays.copyOf(ints, 2 * intCount);
      }
      ints[intCount++] = v;
    }
    return this;
  }

  public Attributes bool(boolean value) {
    return ints(value ? 1 : 0);
  }

  public Attributes floats(double... values) {
    for (double v : values) {
      if (floatCount == floats.length) {
        floats = Arrays.copyOf(floats, 2 * floatCount);
      }
      floats[floatCount++] = v;
    }
    return this;
  }

  /** Adds the number of an element-wise operation to the integers. */
  public Attributes operation(String name) {
    return ints(elementwise.applyAsInt(name));
  }

  public long[] ints() {
    return Arrays.copyOf(ints, intCount);
  }

  public double[] floats() {
    return Arrays.copyOf(floats, floatCount);
  }
}
