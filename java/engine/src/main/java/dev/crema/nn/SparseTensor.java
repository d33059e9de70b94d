package dev.crema.nn;

import dev.crema.io.Safetensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A sparse tensor of a file, read in stretches: quickly if one follows the other. */
final class SparseTensor {
  private static final int CHUNK = 1 << 16; // elements

  private final Safetensors file;
  private final String values;
  private final int size; // bytes of an element: 1 or 4
  private final byte[] bitmap;
  private long next; // element that follows the last stretch
  private long before; // values of the elements before it

  SparseTensor(Safetensors file, String values, int size, byte[] bitmap) {
    this.file = file;
    this.values = values;
    this.size = size;
    this.bitmap = bitmap;
  }

  private static boolean isSet(byte[] bitmap, long i) {
    return (bitmap[(int) (i / 8)] >> (int) (i % 8) & 1) != 0;
  }

  /** Bits that are 1 among [from, to). */
  static long count(byte[] bitmap, long from, long to) {
    long count = 0;
    long i = from;
    while (i < to) {
      if (i % 8 == 0 && i + 8 <= to) {
        count += Integer.bitCount(bitmap[(int) (i / 8)] & 255);
        i += 8;
      } else {
        count += isSet(bitmap, i) ? 1 : 0;
        i++;
      }
    }
    return count;
  }

  /** Fills {@code dst}; {@code from} and what remains of it are whole elements. */
  void read(long from, ByteBuffer dst) {
    long first = from / size;
    long end = first + dst.remaining() / size;
    long value = first == next ? before : count(bitmap, 0, first);
    for (long at = first; at < end; at += CHUNK) {
      long to = Math.min(end, at + CHUNK);
      int count = (int) count(bitmap, at, to);
      ByteBuffer some = ByteBuffer.allocateDirect(count * size).order(ByteOrder.LITTLE_ENDIAN);
      file.read(values, value * size, some);
      some.clear();
      for (long i = at; i < to; i++) {
        boolean present = isSet(bitmap, i);
        if (size == 1) {
          dst.put(present ? some.get() : 0);
        } else {
          dst.putInt(present ? some.getInt() : 0);
        }
      }
      value += count;
    }
    next = end;
    before = value;
  }
}
