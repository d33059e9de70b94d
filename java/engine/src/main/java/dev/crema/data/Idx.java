package dev.crema.data;

import dev.crema.CremaException;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The array of an IDX file, the format of the MNIST digits (LeCun, 1998): two zero bytes, type,
 * rank, extents, then big-endian elements, outermost axis first. Gzip is recognised.
 */
public final class Idx {
  /** Element types of IDX. */
  public enum Type {
    UBYTE(0x08, 1),
    BYTE(0x09, 1),
    SHORT(0x0B, 2),
    INT(0x0C, 4),
    FLOAT(0x0D, 4),
    DOUBLE(0x0E, 8);

    private final int code;
    private final int byteSize;

    Type(int code, int byteSize) {
      this.code = code;
      this.byteSize = byteSize;
    }
  }

  private static final int MAX_RANK = 4;

  private final String name;
  private final Type type;
  private final int[] dims;
  private final byte[] data;

  private Idx(String name, Type type, int[] dims, byte[] data) {
    this.name = name;
    this.type = type;
    this.dims = dims;
    this.data = data;
  }

  /**
   * Reads a file of at most 2 GB of data.
   *
   * @throws CremaException if it isn't IDX, is cut off, or doesn't have the size that it claims
   */
  public static Idx read(Path file) {
    try (InputFiles.Input in = InputFiles.open(file)) {
      return read(in);
    } catch (IOException e) {
      throw InputFiles.unreadable(file.toString(), e);
    }
  }

  static Idx read(InputFiles.Input in) throws IOException {
    DataInputStream stream = new DataInputStream(in.stream());
    String name = in.name();
    int magic = stream.readInt();
    Type type = type(magic >>> 8, name);
    int rank = magic & 0xFF;
    if (rank < 1 || rank > MAX_RANK) {
      throw new CremaException(name + " has " + rank + " axes; IDX files here have 1 to 4");
    }
    int[] dims = new int[rank];
    long bytes = type.byteSize;
    for (int i = 0; i < rank; i++) {
      dims[i] = stream.readInt();
      if (dims[i] < 0) {
        throw new CremaException(
            name + ": axis " + i + " has extent " + dims[i] + "; the header is damaged");
      }
      bytes = times(bytes, dims[i]);
    }
    long left = in.limit() - 4 - 4L * rank;
    if (in.exact() ? bytes != left : bytes > in.limit()) {
      throw new CremaException(
          name
              + ": extents "
              + Arrays.toString(dims)
              + " of "
              + type
              + " make "
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
    return new Idx(name, type, dims, data);
  }

  private static long times(long a, long b) {
    long high = Math.multiplyHigh(a, b);
    long low = a * b;
    return high != 0 || low < 0 ? Long.MAX_VALUE : low;
  }

  private static Type type(int code, String name) {
    for (Type type : Type.values()) {
      if (type.code == code) {
        return type;
      }
    }
    throw new CremaException(
        String.format(
            "%s is not an IDX file: it begins with %06x, expected 00 00 and a type of 08 to 0e",
            name, code));
  }

  public Type type() {
    return type;
  }

  /** Extents, outermost axis first; a copy. */
  public int[] dims() {
    return dims.clone();
  }

  /** Number of elements. */
  public int elements() {
    return data.length / type.byteSize;
  }

  /** All elements as floats, row-major. */
  public float[] floats() {
    Buffers.requireHeap(4L * elements(), name);
    float[] values = new float[elements()];
    ByteBuffer in = ByteBuffer.wrap(data);
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case UBYTE -> data[i] & 0xFF;
            case BYTE -> data[i];
            case SHORT -> in.getShort(2 * i);
            case INT -> in.getInt(4 * i);
            case FLOAT -> in.getFloat(4 * i);
            case DOUBLE -> (float) in.getDouble(8 * i);
          };
    }
    return values;
  }

  /**
   * All elements as class numbers.
   *
   * @throws CremaException if this isn't one axis of integers
   */
  public int[] labels() {
    if (dims.length != 1 || type == Type.FLOAT || type == Type.DOUBLE) {
      throw new CremaException(
          name + " is no list of labels: " + type + " " + Arrays.toString(dims));
    }
    int[] values = new int[elements()];
    ByteBuffer in = ByteBuffer.wrap(data);
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case UBYTE -> data[i] & 0xFF;
            case BYTE -> data[i];
            case SHORT -> in.getShort(2 * i);
            default -> in.getInt(4 * i);
          };
    }
    return values;
  }

  String name() {
    return name;
  }

  /** The elements as rows of the first axis; bytes stand for value / 255. */
  Block block() {
    int width = dims[0] == 0 ? 0 : elements() / dims[0];
    return type == Type.UBYTE ? new Block.Pixels(data, width) : new Block.Floats(floats(), width);
  }
}
