package dev.crema.device.cuda.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The bytes of a C struct that a kernel takes by value, member by member, without padding. */
final class Struct {
  private ByteBuffer bytes = ByteBuffer.allocate(128).order(ByteOrder.nativeOrder());

  /** An {@code i64} or a pointer. */
  Struct int64(long value) {
    room(8).putLong(value);
    return this;
  }

  /** Arrays of {@code length} of {@code i64}; what {@code values} lacks is 0. */
  Struct int64s(long[] values, int length) {
    for (int i = 0; i < length; i++) {
      int64(i < values.length ? values[i] : 0);
    }
    return this;
  }

  Struct int32(int value) {
    room(4).putInt(value);
    return this;
  }

  /** {@code u8}; what {@code values} lacks is 0. */
  Struct bytes(int[] values, int length) {
    for (int i = 0; i < length; i++) {
      room(1).put((byte) (i < values.length ? values[i] : 0));
    }
    return this;
  }

  Struct float32s(double[] values, int length) {
    for (int i = 0; i < length; i++) {
      room(4).putFloat(i < values.length ? (float) values[i] : 0);
    }
    return this;
  }

  byte[] toBytes() {
    return Arrays.copyOf(bytes.array(), bytes.position());
  }

  private ByteBuffer room(int size) {
    if (bytes.remaining() < size) {
      ByteBuffer more = ByteBuffer.allocate(2 * bytes.capacity()).order(ByteOrder.nativeOrder());
      bytes = more.put(bytes.flip());
    }
    return bytes;
  }
}
