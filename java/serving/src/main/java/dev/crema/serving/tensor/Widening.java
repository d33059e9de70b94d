package dev.crema.serving.tensor;

import dev.crema.memory.ElementType;
import dev.crema.memory.HalfPrecision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Set;

/**
 * Which numbers become which without a loss: narrower integers wider ones, 16-bit floats and
 * integers of up to 16 bits FLOAT32. Everything else, FP64 to FLOAT32 above all, is the client's to
 * decide and is refused.
 */
public final class Widening {
  private static final Set<NumberType> TO_FLOAT32 =
      EnumSet.of(
          NumberType.FP16,
          NumberType.BF16,
          NumberType.INT8,
          NumberType.UINT8,
          NumberType.INT16,
          NumberType.UINT16);
  private static final Set<NumberType> TO_INT32 =
      EnumSet.of(NumberType.INT8, NumberType.UINT8, NumberType.INT16, NumberType.UINT16);
  private static final Set<NumberType> TO_INT64 =
      EnumSet.of(
          NumberType.INT8,
          NumberType.UINT8,
          NumberType.INT16,
          NumberType.UINT16,
          NumberType.INT32,
          NumberType.UINT32);

  private Widening() {}

  /** Whether every number of one type is one of the other. */
  public static boolean isLossless(NumberType from, ElementType to) {
    if (from.elementType().orElse(null) == to) {
      return true;
    }
    return switch (to) {
      case FLOAT32 -> TO_FLOAT32.contains(from);
      case INT32 -> TO_INT32.contains(from);
      case INT64 -> TO_INT64.contains(from);
      case BFLOAT16, FLOAT16, INT8, UINT8, BOOL -> false;
    };
  }

  /**
   * The same numbers as another type; the data itself if it is the same type.
   *
   * @param data little endian, a multiple of the type's size
   * @throws IllegalArgumentException if {@link #isLossless} says no
   */
  public static ByteBuffer widen(NumberType from, ByteBuffer data, ElementType to) {
    if (from.elementType().orElse(null) == to) {
      return data;
    }
    if (!isLossless(from, to)) {
      throw new IllegalArgumentException(from + " is not widened to " + to);
    }
    ByteBuffer in = data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    int count = in.remaining() / from.byteSize();
    ByteBuffer out =
        ByteBuffer.allocate(Math.multiplyExact(count, to.byteSize()))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      switch (to) {
        case FLOAT32 -> out.putFloat(nextFloat(from, in));
        case INT32 -> out.putInt((int) nextLong(from, in));
        default -> out.putLong(nextLong(from, in));
      }
    }
    return out.flip();
  }

  /**
   * As {@link #widen}; bytes that become FLOAT32 are pixels, multiplied as they were when the model
   * was trained.
   *
   * @param pixelScale 1 for models that learnt from no bytes
   */
  public static ByteBuffer widen(
      NumberType from, ByteBuffer data, ElementType to, double pixelScale) {
    ByteBuffer wide = widen(from, data, to);
    if (pixelScale != 1 && from == NumberType.UINT8 && to == ElementType.FLOAT32) {
      for (int at = wide.position(); at < wide.limit(); at += Float.BYTES) {
        wide.putFloat(at, (float) (wide.getFloat(at) * pixelScale));
      }
    }
    return wide;
  }

  private static float nextFloat(NumberType from, ByteBuffer in) {
    return switch (from) {
      case FP16 -> HalfPrecision.fromFloat16(in.getShort());
      case BF16 -> HalfPrecision.fromBfloat16(in.getShort());
      default -> nextLong(from, in);
    };
  }

  private static long nextLong(NumberType from, ByteBuffer in) {
    return switch (from) {
      case INT8 -> in.get();
      case UINT8 -> Byte.toUnsignedInt(in.get());
      case INT16 -> in.getShort();
      case UINT16 -> Short.toUnsignedInt(in.getShort());
      case INT32 -> in.getInt();
      case UINT32 -> Integer.toUnsignedLong(in.getInt());
      default -> throw new IllegalArgumentException(from + " is not widened");
    };
  }
}
