package dev.crema.device.cuda.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The parameters of a kernel, in order, each of its C type's size. */
public final class Arguments {
  private ByteBuffer bytes = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());
  private int[] offsets = new int[16];
  private int count;

  private Arguments() {}

  public static Arguments of() {
    return new Arguments();
  }

  /** A pointer to device memory; 0 for null. */
  public Arguments pointer(long address) {
    return int64(address);
  }

  /** {@code long long}. */
  public Arguments int64(long value) {
    next(8, 8).putLong(value);
    return this;
  }

  /**
   * {@code int}.
   *
   * @throws ArithmeticException if it does not fit
   */
  public Arguments int32(long value) {
    next(4, 4).putInt(Math.toIntExact(value));
    return this;
  }

  /** {@code float}: the nearest to a double. */
  public Arguments float32(double value) {
    next(4, 4).putFloat((float) value);
    return this;
  }

  /** {@code double}. */
  public Arguments float64(double value) {
    next(8, 8).putDouble(value);
    return this;
  }

  /** A struct by value, aligned to 8 bytes. */
  public Arguments struct(byte[] value) {
    next(8, value.length).put(value);
    return this;
  }

  public int count() {
    return count;
  }

  /** Where argument {@code i} begins in {@link #bytes}. */
  public int offset(int i) {
    return offsets[i];
  }

  /** All arguments, native byte order. */
  public byte[] bytes() {
    return Arrays.copyOf(bytes.array(), bytes.position());
  }

  private ByteBuffer next(int alignment, int size) {
    int at = (bytes.position() + alignment - 1) / alignment * alignment;
    if (at + size > bytes.capacity()) {
      ByteBuffer more =
          ByteBuffer.allocate(Math.max(2 * bytes.capacity(), at + size))
              .order(ByteOrder.nativeOrder());
      bytes.flip();
      bytes = more.put(bytes);
    }
    if (count == offsets.length) {
      offsets = Arrays.copyOf(offsets, 2 * count);
    }
    offsets[count++] = at;
    return bytes.position(at);
  }
}
