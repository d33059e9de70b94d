package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Locale;

/** Memory for one input or target of a batch, seen as floats and as whole numbers. */
final class BatchSlot implements AutoCloseable {
  private final String name;
  private final TensorType type;
  private final Device device;
  private final int bytes;
  private final int elements; // of an example
  private final Buffer buffer;
  private final FloatBuffer floats; // written under a lease only
  private final IntBuffer ints;
  private ByteBuffer view; // null until a user asks for it: it keeps the memory

  BatchSlot(String name, TensorType type, int capacity, Device device) {
    long size = type.at(capacity).byteSize(type.element());
    if (size > Integer.MAX_VALUE) {
      throw new CremaException(
          "'" + name + "' " + type + " has more than 2 GB for " + capacity + " examples");
    }
    this.name = name;
    this.type = type;
    this.device = device;
    this.bytes = (int) size;
    this.elements = (int) type.elements().perExample();
    this.buffer = device.inputMemory(Math.max(4, size), name);
    ByteBuffer own = buffer.borrow(0, bytes);
    this.floats = own.asFloatBuffer();
    this.ints = own.asIntBuffer();
  }

  Buffer buffer() {
    return buffer;
  }

  /** Keeps the memory for as long as it can be reached. */
  synchronized ByteBuffer view() {
    if (view == null) {
      view = buffer.bytes(0, bytes);
    }
    return view;
  }

  void send(int rows) {
    device.send(buffer, type.at(rows).byteSize(type.element()));
  }

  void put(float[] values, int rows) {
    check(ElementType.FLOAT32, "floats", values.length, rows);
    buffer.retain();
    try {
      floats.put(0, values, 0, rows * elements);
    } finally {
      buffer.release();
    }
  }

  void put(int[] values, int rows) {
    check(ElementType.INT32, "class numbers", values.length, rows);
    buffer.retain();
    try {
      ints.put(0, values, 0, rows * elements);
    } finally {
      buffer.release();
    }
  }

  private void check(ElementType given, String what, int length, int rows) {
    if (type.element() != given) {
      throw new IllegalArgumentException("'" + name + "' is " + type + ", got " + what);
    }
    if (length < (long) rows * elements) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "'%s' needs %d numbers for %d examples of %d, got %d",
              name,
              (long) rows * elements,
              rows,
              elements,
              length));
    }
  }

  @Override
  public void close() {
    buffer.close();
  }
}
