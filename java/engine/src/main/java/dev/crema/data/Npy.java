package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Reads and writes NPY files, NumPy's format for one array. Pickled objects are never read. */
public final class Npy {
  private static final int ALIGNMENT = 64;

  private Npy() {}

  /**
   * Reads an array of either byte order, in C or Fortran order; gzip is recognised.
   *
   * @throws CremaException if it isn't NPY, has another element type, or doesn't have the size that
   *     it claims
   */
  public static NpyArray read(Path file) {
    try (InputFiles.Input in = InputFiles.open(file)) {
      return read(in);
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    }
  }

  static NpyArray read(InputFiles.Input in) throws IOException {
    String name = in.name();
    DataInputStream stream = new DataInputStream(in.stream());
    NpyHeader header = NpyHeader.read(stream, name);
    Shape shape = header.shape();
    int size = header.type().byteSize();
    long bytes =
        shape.elements() > Long.MAX_VALUE / size ? Long.MAX_VALUE : shape.elements() * size;
    long left = in.limit() - header.bytes();
    if (in.exact() ? bytes != left : bytes > left) {
      throw new CremaException(
          name
              + ": shape "
              + shape
              + " of "
              + header.type()
              + " makes "
              + bytes
              + " bytes, but "
              + (in.exact() ? "" : "at most ")
              + left
              + " follow the header. The file is damaged or cut off.");
    }
    byte[] data = InputFiles.readExactly(stream, bytes, name);
    if (stream.read() >= 0) {
      throw new CremaException(name + " goes on after its last element; the header is damaged");
    }
    if (header.fortran()) {
      data = rowMajor(data, shape, size);
    }
    ByteOrder order = header.bigEndian() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    return new NpyArray(name, header.type(), shape, ByteBuffer.wrap(data).order(order));
  }

  private static byte[] rowMajor(byte[] data, Shape shape, int size) {
    Buffers.requireHeap(data.length, "Reordering an array of " + shape);
    int rank = shape.rank();
    long[] stride = new long[rank];
    long next = size;
    for (int axis = 0; axis < rank; axis++) {
      stride[axis] = next;
      next *= shape.dim(axis);
    }
    byte[] out = new byte[data.length];
    long[] index = new long[rank];
    long from = 0;
    for (int to = 0; to < out.length; to += size) {
      System.arraycopy(data, (int) from, out, to, size);
      for (int axis = rank - 1; axis >= 0; axis--) {
        from += stride[axis];
        if (++index[axis] < shape.dim(axis)) {
          break;
        }
        from -= stride[axis] * shape.dim(axis);
        index[axis] = 0;
      }
    }
    return out;
  }

  /** Writes float32 (version 1.0, little-endian, C order), replacing the file in one step. */
  public static void write(Path file, float[] values, Shape shape) {
    ByteBuffer out = begin("<f4", shape, values.length, Float.BYTES);
    out.asFloatBuffer().put(values);
    write(file, out);
  }

  /** Writes float64; otherwise as for float32. */
  public static void write(Path file, double[] values, Shape shape) {
    ByteBuffer out = begin("<f8", shape, values.length, Double.BYTES);
    out.asDoubleBuffer().put(values);
    write(file, out);
  }

  /** Writes int32; otherwise as for float32. */
  public static void write(Path file, int[] values, Shape shape) {
    ByteBuffer out = begin("<i4", shape, values.length, Integer.BYTES);
    out.asIntBuffer().put(values);
    write(file, out);
  }

  private static ByteBuffer begin(String type, Shape shape, int elements, int size) {
    if (shape.elements() != elements) {
      throw new CremaException(elements + " elements do not make shape " + shape);
    }
    String extents =
        LongStream.of(shape.dims()).mapToObj(Long::toString).collect(Collectors.joining(", "));
    String dictionary =
        "{'descr': '"
            + type
            + "', 'fortran_order': False, 'shape': ("
            + extents
            + (shape.rank() == 1 ? ",), }" : "), }");
    int header = (10 + dictionary.length() + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    String padded = dictionary + " ".repeat(header - 11 - dictionary.length()) + "\n";
    Buffers.requireHeap(header + (long) elements * size, "Writing an array of " + shape);
    ByteBuffer out = ByteBuffer.allocate(header + elements * size).order(ByteOrder.LITTLE_ENDIAN);
    out.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1);
    out.put((byte) 0).putShort((short) padded.length());
    return out.put(padded.getBytes(StandardCharsets.US_ASCII));
  }

  private static void write(Path file, ByteBuffer content) {
    Path folder = file.toAbsolutePath().getParent();
    try {
      Path part = Files.createTempFile(folder, file.getFileName().toString(), ".part");
      try {
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
          content.rewind();
          while (content.hasRemaining()) {
            channel.write(content);
          }
          channel.force(true);
        }
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw new CremaException("Can't write " + file + ": " + e, e);
    }
  }
}
