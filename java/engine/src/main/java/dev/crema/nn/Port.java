package dev.crema.nn;

import dev.crema.CremaException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;

/** The memory of one input or output of a predictor, with its checks. */
final class Port {
  private final String what;
  private final TensorType type;
  private final int elements;
  private final ByteBuffer bytes;
  private final FloatBuffer floats;
  private final IntBuffer ints;
  private final LongBuffer longs;

  /**
   * @param what for messages: {@code input 'x'}
   * @param bytes room for the capacity
   */
  Port(String what, TensorType type, ByteBuffer bytes) {
    this.what = what;
    this.type = type;
    this.elements = Math.toIntExact(type.elements().perExample());
    this.bytes = bytes;
    this.floats = bytes.asFloatBuffer();
    this.ints = bytes.asIntBuffer();
    this.longs = bytes.asLongBuffer();
  }

  /** Elements of one example. */
  int elements() {
    return elements;
  }

  void checkInput(int rows, int given) {
    if (given < (long) rows * elements) {
      throw new CremaException(
          "An example of "
              + what
              + " is "
              + example()
              + ", "
              + elements
              + " values"
              + (rows == 1 ? "" : "; " + rows + " need " + (long) rows * elements)
              + ", got "
              + given);
    }
  }

  void checkExample(int given) {
    if (given != elements) {
      throw new CremaException(
          "An example of " + what + " is " + example() + ", " + elements + " values, got " + given);
    }
  }

  void checkOutput(int rows, int room) {
    if (type.element() != ElementType.FLOAT32) {
      throw new CremaException(what + " is " + type + "; read it through outputMemory");
    }
    if (room < (long) rows * elements) {
      throw new CremaException(
          "The result of "
              + what
              + " needs room for "
              + (long) rows * elements
              + " values but has "
              + room);
    }
  }

  private String example() {
    String all = type.toString();
    return "[" + all.substring(all.startsWith("[n, ") ? 4 : 2);
  }

  /** Writes rows [row, row + rows) from the start of {@code values}. */
  void write(int row, float[] values, int rows) {
    int count = rows * elements;
    int at = row * elements;
    if (type.element() == ElementType.FLOAT32) {
      floats.put(at, values, 0, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      long whole = (long) values[i];
      if (whole != values[i]) {
        throw new CremaException(
            what + " takes whole numbers (" + type.element() + "), got " + values[i]);
      }
      put(at + i, whole);
    }
  }

  void write(FloatBuffer values, int rows) {
    if (type.element() == ElementType.FLOAT32) {
      floats.put(0, values, values.position(), rows * elements);
      return;
    }
    for (int i = 0; i < rows * elements; i++) {
      put(i, (long) values.get(values.position() + i));
    }
  }

  void write(int[] values, int rows) {
    if (type.element() == ElementType.INT32) {
      ints.put(0, values, 0, rows * elements);
      return;
    }
    for (int i = 0; i < rows * elements; i++) {
      put(i, values[i]);
    }
  }

  void write(long[] values, int rows) {
    if (type.element() == ElementType.INT64) {
      longs.put(0, values, 0, rows * elements);
      return;
    }
    for (int i = 0; i < rows * elements; i++) {
      put(i, values[i]);
    }
  }

  private void put(int at, long value) {
    long low = 0;
    long high = 0;
    switch (type.element()) {
      case FLOAT32 -> {
        floats.put(at, value);
        return;
      }
      case INT64 -> {
        longs.put(at, value);
        return;
      }
      case INT32 -> {
        low = Integer.MIN_VALUE;
        high = Integer.MAX_VALUE;
      }
      case UINT8 -> high = 255;
      case INT8 -> {
        low = Byte.MIN_VALUE;
        high = Byte.MAX_VALUE;
      }
      case BOOL -> high = 1;
      default ->
          throw new CremaException(
              what + " is " + type.element() + "; write it through inputMemory");
    }
    if (value < low || value > high) {
      throw new CremaException(
          what + " holds numbers from " + low + " to " + high + ", got " + value);
    }
    if (type.element() == ElementType.INT32) {
      ints.put(at, (int) value);
    } else {
      bytes.put(at, (byte) value);
    }
  }

  /** Copies what remains of {@code values}, whole examples of this type, to rows from that on. */
  void write(int row, ByteBuffer values, int capacity) {
    checkStretch(row, values.remaining(), capacity);
    bytes.put(row * exampleBytes(), values, values.position(), values.remaining());
  }

  /** Fills what remains of {@code result} with the bytes of rows from that on. */
  void read(int row, ByteBuffer result, int capacity) {
    checkStretch(row, result.remaining(), capacity);
    result.put(result.position(), bytes, row * exampleBytes(), result.remaining());
  }

  private int exampleBytes() {
    return elements * type.element().byteSize();
  }

  private void checkStretch(int row, int size, int capacity) {
    int example = exampleBytes();
    boolean whole = example == 0 ? size == 0 : size % example == 0;
    if (!whole || row < 0 || row > capacity - (example == 0 ? 0 : size / example)) {
      throw new CremaException(
          size
              + " bytes from row "
              + row
              + " on are no whole examples within the "
              + capacity
              + " of "
              + what
              + ", whose examples "
              + example()
              + " have "
              + example
              + " bytes each");
    }
  }

  /** Reads rows from {@code row} on into the start of {@code result}. */
  void read(int row, float[] result, int rows) {
    floats.get(row * elements, result, 0, rows * elements);
  }

  void read(FloatBuffer result, int rows) {
    result.put(result.position(), floats, 0, rows * elements);
  }
}
