package dev.crema.serving.tensorflow;

import dev.crema.memory.ElementType;
import dev.crema.memory.HalfPrecision;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.TensorValue;
import java.nio.ByteBuffer;

/** Single numbers into and out of little-endian buffers. */
final class Numbers {
  private Numbers() {}

  static void put(ByteBuffer data, ElementType type, float value) {
    switch (type) {
      case FLOAT32 -> data.putFloat(value);
      case FLOAT16 -> data.putShort(HalfPrecision.toFloat16(value));
      case BFLOAT16 -> data.putShort(HalfPrecision.toBfloat16(value));
      default -> throw new IllegalArgumentException(type + " holds no floats");
    }
  }

  /** Throws if an integer type has no such number. */
  static void put(ByteBuffer data, ElementType type, long value) {
    boolean fits =
        switch (type) {
          case INT8 -> value == (byte) value;
          case UINT8 -> value == (value & 0xff);
          case BOOL -> value == (value & 1);
          case INT32 -> value == (int) value;
          default -> true;
        };
    if (!fits) {
      throw ServingException.invalidArgument(
          "There is no " + value + " in " + DataTypes.of(type) + ", which the model takes");
    }
    switch (type) {
      case INT8, UINT8, BOOL -> data.put((byte) value);
      case INT32 -> data.putInt((int) value);
      case INT64 -> data.putLong(value);
      default -> put(data, type, (float) value);
    }
  }

  /** All numbers of a tensor of floats, as floats; throws for other tensors. */
  static float[] floats(String name, TensorValue value) {
    if (!value.type().isFloating()) {
      throw new ServingException(
          ServingException.Code.FAILED_PRECONDITION,
          "Output '" + name + "' is " + value + "; scores are floats. Use predict.");
    }
    ByteBuffer data = value.data();
    float[] floats = new float[data.remaining() / value.type().byteSize()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] =
          switch (value.type()) {
            case FLOAT16 -> HalfPrecision.fromFloat16(data.getShort());
            case BFLOAT16 -> HalfPrecision.fromBfloat16(data.getShort());
            default -> data.getFloat();
          };
    }
    return floats;
  }
}
