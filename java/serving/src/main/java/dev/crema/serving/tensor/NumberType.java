package dev.crema.serving.tensor;

import dev.crema.memory.ElementType;
import dev.crema.memory.HalfPrecision;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The types of numbers that clients send, named as in the Open Inference Protocol; little endian.
 * Some are none of Crema's, but may become one: see {@link Widening}.
 */
public enum NumberType {
  BOOL(1, ElementType.BOOL),
  UINT8(1, ElementType.UINT8),
  UINT16(2, null),
  UINT32(4, null),
  UINT64(8, null),
  INT8(1, ElementType.INT8),
  INT16(2, null),
  INT32(4, ElementType.INT32),
  INT64(8, ElementType.INT64),
  FP16(2, ElementType.FLOAT16),
  BF16(2, ElementType.BFLOAT16),
  FP32(4, ElementType.FLOAT32),
  FP64(8, null);

  private static final NumberType[] VALUES = values();

  private final int byteSize;
  private final ElementType elementType; // null: none of Crema's

  NumberType(int byteSize, ElementType elementType) {
    this.byteSize = byteSize;
    this.elementType = elementType;
  }

  /** Bytes of one number. */
  public int byteSize() {
    return byteSize;
  }

  /** The same type in Crema; empty if it has none. */
  public Optional<ElementType> elementType() {
    return Optional.ofNullable(elementType);
  }

  /** What an element type is called here. */
  public static NumberType of(ElementType type) {
    for (NumberType t : VALUES) {
      if (t.elementType == type) {
        return t;
      }
    }
    throw new IllegalArgumentException(type + " has no name in the protocols");
  }

  /** The type of that name; empty if there is none. */
  public static Optional<NumberType> named(String name) {
    for (NumberType t : VALUES) {
      if (t.name().equals(name)) {
        return Optional.of(t);
      }
    }
    return Optional.empty();
  }

  /**
   * The next number as text: decimal digits, "true" or "false", "NaN".
   *
   * @param data little endian, with at least {@link #byteSize} bytes left
   */
  public String text(ByteBuffer data) {
    return switch (this) {
      case BOOL -> Boolean.toString(data.get() != 0);
      case UINT8 -> Integer.toString(Byte.toUnsignedInt(data.get()));
      case UINT16 -> Integer.toString(Short.toUnsignedInt(data.getShort()));
      case UINT32 -> Integer.toUnsignedString(data.getInt());
      case UINT64 -> Long.toUnsignedString(data.getLong());
      case INT8 -> Byte.toString(data.get());
      case INT16 -> Short.toString(data.getShort());
      case INT32 -> Integer.toString(data.getInt());
      case INT64 -> Long.toString(data.getLong());
      case FP16 -> Float.toString(HalfPrecision.fromFloat16(data.getShort()));
      case BF16 -> Float.toString(HalfPrecision.fromBfloat16(data.getShort()));
      case FP32 -> Float.toString(data.getFloat());
      case FP64 -> Double.toString(data.getDouble());
    };
  }

  boolean isFloating() {
    return ordinal() >= FP16.ordinal();
  }
}
