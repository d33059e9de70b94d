package dev.crema.memory;

import java.nio.ByteBuffer;

/** Reads and writes single elements of any type in a view of native byte order. */
final class Elements {
  private Elements() {}

  /** Element i as a double; exact for every type but INT64 beyond 2^53. */
  static double get(ByteBuffer bytes, ElementType type, int i) {
    return switch (type) {
      case FLOAT32 -> bytes.getFloat(4 * i);
      case BFLOAT16 -> HalfPrecision.fromBfloat16(bytes.getShort(2 * i));
      case FLOAT16 -> HalfPrecision.fromFloat16(bytes.getShort(2 * i));
      case INT8 -> bytes.get(i);
      case UINT8 -> bytes.get(i) & 0xff;
      case INT32 -> bytes.getInt(4 * i);
      case INT64 -> bytes.getLong(8 * i);
      case BOOL -> bytes.get(i) == 0 ? 0 : 1;
    };
  }

  /** Element i as a long; fractions are cut off. */
  static long getLong(ByteBuffer bytes, ElementType type, int i) {
    return type == ElementType.INT64 ? bytes.getLong(8 * i) : (long) get(bytes, type, i);
  }

  /** Rounds to nearest for floating types; integers saturate and cut fractions off; NaN gives 0. */
  static void put(ByteBuffer bytes, ElementType type, int i, double value) {
    switch (type) {
      case FLOAT32 -> bytes.putFloat(4 * i, (float) value);
      case BFLOAT16 -> bytes.putShort(2 * i, HalfPrecision.toBfloat16((float) value));
      case FLOAT16 -> bytes.putShort(2 * i, HalfPrecision.toFloat16((float) value));
      case INT8 -> bytes.put(i, (byte) Math.max(-128, Math.min(127, (int) value)));
      case UINT8 -> bytes.put(i, (byte) Math.max(0, Math.min(255, (int) value)));
      case INT32 -> bytes.putInt(4 * i, (int) value);
      case INT64 -> bytes.putLong(8 * i, (long) value);
      case BOOL -> bytes.put(i, (byte) (value != 0 ? 1 : 0));
    }
  }

  /** Copies n elements from one type to another. */
  static void convert(
      ByteBuffer from, ElementType source, ByteBuffer to, ElementType target, int n) {
    if (source == target) {
      to.put(0, from, 0, n * source.byteSize());
      return;
    }
    boolean integers = !source.isFloating() && target == ElementType.INT64;
    for (int i = 0; i < n; i++) {
      if (integers) {
        to.putLong(8 * i, getLong(from, source, i));
      } else {
        put(to, target, i, get(from, source, i));
      }
    }
  }
}
