package dev.crema.nn;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.NamedTensor;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Kernels that are mostly zero in files: {@code dense_1/kernel.values}, [non-zeros] of the kernel's
 * element type, row-major, and where they belong: {@code dense_1/kernel.bitmap}, U8 [⌈elements /
 * 8⌉], whose bit i mod 8 of byte i / 8 is 1 where element i has a value; or {@code
 * dense_1/kernel.indices}, I32 [non-zeros], ascending, where that is smaller. A value is what has
 * other bits than 0: -0.0 is one. {@code model.json} names these kernels under {@value #FIELD}.
 */
final class SparseTensors {
  static final String FIELD = "sparse";
  static final String VALUES = ".values";
  static final String BITMAP = ".bitmap";
  static final String INDICES = ".indices";

  /**
   * Elements for each index, at most: so much more memory than file may a model take, and no more.
   */
  static final int MOST_FOR_AN_INDEX = 256;

  private static final int LEAST_SAVED = 512; // bytes; entries of headers are bytes, too
  private static final int CHUNK = 1 << 16;

  private SparseTensors() {}

  static boolean hasIndices(long elements, long nonZeros) {
    return nonZeros * 4 < (elements + 7) / 8 && nonZeros * MOST_FOR_AN_INDEX >= elements;
  }

  /**
   * Replaces kernels that are smaller so; what they hold must not change until it is written.
   *
   * @param names gets the names of those
   */
  static List<NamedTensor> of(ParameterTable table, List<NamedTensor> tensors, ArrayNode names) {
    List<NamedTensor> all = new ArrayList<>();
    for (NamedTensor t : tensors) {
      Parameter p = table.get(t.name());
      boolean kernel = p != null && p.isTrained() && p.type().rank() >= 2;
      if (!kernel || p.elements() > Integer.MAX_VALUE) {
        all.add(t);
        continue;
      }
      long count = count(t);
      boolean indices = hasIndices(p.elements(), count);
      long places = indices ? 4 * count : (p.elements() + 7) / 8;
      if (count * t.type().byteSize() + places + LEAST_SAVED > t.byteSize()) {
        all.add(t);
        continue;
      }
      names.add(t.name());
      all.add(part(t, VALUES, t.type(), count, SparseTensors::values));
      all.add(
          indices
              ? part(t, INDICES, ElementType.INT32, count, SparseTensors::indices)
              : part(t, BITMAP, ElementType.UINT8, places, SparseTensors::bitmap));
    }
    return all;
  }

  static ArrayNode names() {
    return Json.mapper().createArrayNode();
  }

  /** What writes a part of a tensor, element by element. */
  private interface Writer {
    void element(boolean present, long index, ByteBuffer element, ByteBuffer to);
  }

  private static NamedTensor part(
      NamedTensor t, String suffix, ElementType type, long size, Writer writer) {
    Content content =
        out -> {
          Filter filter = new Filter(t.type().byteSize(), writer, out);
          t.content().writeTo(filter);
          filter.pass();
        };
    return new NamedTensor(t.name() + suffix, type, Shape.of(size), content);
  }

  private static long count(NamedTensor t) {
    long[] count = new long[1];
    Filter filter =
        new Filter(t.type().byteSize(), (is, i, element, to) -> count[0] += is ? 1 : 0, null);
    try {
      t.content().writeTo(filter);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // nothing is written
    }
    return count[0];
  }

  private static void values(boolean present, long index, ByteBuffer element, ByteBuffer to) {
    if (present) {
      to.put(element);
    }
  }

  private static void indices(boolean present, long index, ByteBuffer element, ByteBuffer to) {
    if (present) {
      to.putInt((int) index);
    }
  }

  private static void bitmap(boolean present, long index, ByteBuffer element, ByteBuffer to) {
    int bit = (int) (index % 8);
    if (bit == 0) {
      to.put((byte) 0);
    }
    if (present) {
      int last = to.position() - 1;
      to.put(last, (byte) (to.get(last) | 1 << bit));
    }
  }

  /**
   * Takes a tensor's bytes, whole elements at a time, and passes on what a writer makes of them.
   */
  private static final class Filter implements WritableByteChannel {
    private final int size;
    private final Writer writer;
    private final WritableByteChannel out;
    private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
    private long index;

    Filter(int size, Writer writer, WritableByteChannel out) {
      this.size = size;
      this.writer = writer;
      this.out = out;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      int all = bytes.remaining();
      ByteBuffer element = bytes.duplicate();
      int end = bytes.limit();
      for (int at = bytes.position(); at < end; at += size) {
        if (index % 8 == 0 && chunk.remaining() < 64) {
          pass();
        }
        boolean present = size == 1 ? bytes.get(at) != 0 : bytes.getInt(at) != 0;
        writer.element(present, index++, element.limit(at + size).position(at), chunk);
      }
      bytes.position(end);
      return all;
    }

    /** Passes on what is ready; between bytes of a bitmap. */
    void pass() throws IOException {
      chunk.flip();
      while (out != null && chunk.hasRemaining()) {
        out.write(chunk);
      }
      chunk.clear();
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {
      // The channel behind it is its owner's.
    }
  }
}
