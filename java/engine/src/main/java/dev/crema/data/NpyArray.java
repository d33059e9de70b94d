package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
import java.util.Locale;

/** An array of a NPY or NPZ file. Immutable; its elements stand in row-major order. */
public final class NpyArray {
  /** Element types of NumPy that are read. */
  public enum Type {
    F2(2),
    F4(4),
    F8(8),
    I1(1),
    I2(2),
    I4(4),
    I8(8),
    U1(1),
    U2(2),
    U4(4),
    U8(8),
    BOOL(1);

    private final int byteSize;

    Type(int byteSize) {
      this.byteSize = byteSize;
    }

    int byteSize() {
      return byteSize;
    }

    boolean isFloating() {
      return this == F2 || this == F4 || this == F8;
    }

    /** The type that NumPy calls so, such as "f4"; null if it isn't read. */
    static Type of(String name) {
      if (name.equals("b1") || name.equals("?")) {
        return BOOL;
      }
      for (Type type : values()) {
        if (type != BOOL && type.name().toLowerCase(Locale.ROOT).equals(name)) {
          return type;
        }
      }
      return null;
    }
  }

  private final String name;
  private final Type type;
  private final Shape shape;
  private final ByteBuffer data;

  NpyArray(String name, Type type, Shape shape, ByteBuffer data) {
    this.name = name;
    this.type = type;
    this.shape = shape;
    this.data = data;
  }

  public Type type() {
    return type;
  }

  public Shape shape() {
    return shape;
  }

  /** The file, and the array in it, for messages. */
  String name() {
    return name;
  }

  int elements() {
    return (int) shape.elements();
  }

  /** All elements as doubles; 64-bit integers are rounded. */
  public double[] doubles() {
    Buffers.requireHeap(8 * shape.elements(), name);
    double[] values = new double[elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = doubleAt(i);
    }
    return values;
  }

  /** All elements as floats, rounded where need be. */
  public float[] floats() {
    Buffers.requireHeap(4 * shape.elements(), name);
    float[] values = new float[elements()];
    if (type == Type.F4) {
      data.asFloatBuffer().get(0, values);
      return values;
    }
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) doubleAt(i);
    }
    return values;
  }

  /**
   * All elements as ints.
   *
   * @throws CremaException if one isn't an integer or doesn't fit
   */
  public int[] ints() {
    Buffers.requireHeap(4 * shape.elements(), name);
    int[] values = new int[elements()];
    for (int i = 0; i < values.length; i++) {
      double value = doubleAt(i);
      values[i] = (int) value;
      if (values[i] != value) {
        throw new CremaException(
            name + ": element " + i + " is " + value + ", expected an integer of 32 bits");
      }
    }
    return values;
  }

  /** The elements as unsigned bytes, shared; only for U1. */
  byte[] unsignedBytes() {
    return data.array();
  }

  private double doubleAt(int i) {
    return switch (type) {
      case F2 -> half(data.getShort(2 * i));
      case F4 -> data.getFloat(4 * i);
      case F8 -> data.getDouble(8 * i);
      case I1 -> data.get(i);
      case I2 -> data.getShort(2 * i);
      case I4 -> data.getInt(4 * i);
      case I8 -> data.getLong(8 * i);
      case U1 -> data.get(i) & 0xFF;
      case U2 -> data.getShort(2 * i) & 0xFFFF;
      case U4 -> data.getInt(4 * i) & 0xFFFF_FFFFL;
      case U8 -> unsigned(data.getLong(8 * i));
      case BOOL -> data.get(i) == 0 ? 0 : 1;
    };
  }

  private static double unsigned(long bits) {
    // The lowest bit is kept sticky so that halving rounds as the whole number would.
    return bits >= 0 ? bits : 2.0 * ((bits >>> 1) | (bits & 1));
  }

  /** Value of an IEEE 754 binary16. */
  static float half(short bits) {
    int exponent = (bits >> 10) & 0x1F;
    int mantissa = bits & 0x3FF;
    float magnitude;
    if (exponent == 0) {
      magnitude = mantissa * 0x1p-24f;
    } else if (exponent == 31) {
      magnitude = mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
    } else {
      magnitude = Float.intBitsToFloat((exponent + 112) << 23 | mantissa << 13);
    }
    return bits < 0 ? -magnitude : magnitude;
  }
}
