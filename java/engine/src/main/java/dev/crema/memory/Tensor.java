package dev.crema.memory;

import dev.crema.CremaException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Locale;
import java.util.Objects;
import java.util.StringJoiner;

/**
 * A {@link Buffer} with an element type and a shape: dense, row-major. Its owner closes it; views
 * ({@link #reshape}, {@link #slice}) share the memory, keep it, and are closed by their own owners.
 * Thread-safe as its buffer is.
 */
public final class Tensor implements AutoCloseable {
  private static final int SHOWN = 8;

  /** Bytes that are read or written through one Java view. */
  private static final int PIECE = 1 << 20;

  private final Buffer buffer;
  private final ElementType type;
  private final Shape shape;

  private Tensor(Buffer buffer, ElementType type, Shape shape) {
    this.buffer = buffer;
    this.type = type;
    this.shape = shape;
  }

  /** A tensor of zeros. */
  public static Tensor create(ElementType type, Shape shape) {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(shape, "shape");
    return new Tensor(Buffer.allocate(shape.byteSize(type), "Tensor " + type + shape), type, shape);
  }

  /** A tensor of these values, which are copied. */
  public static Tensor of(Shape shape, float... values) {
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(values, "values");
    Tensor tensor = filled(ElementType.FLOAT32, shape, values.length);
    tensor.eachPiece((at, n, view) -> view.asFloatBuffer().put(values, (int) at, n));
    return tensor;
  }

  /** A tensor of these values, which are copied. */
  public static Tensor of(Shape shape, int... values) {
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(values, "values");
    Tensor tensor = filled(ElementType.INT32, shape, values.length);
    tensor.eachPiece((at, n, view) -> view.asIntBuffer().put(values, (int) at, n));
    return tensor;
  }

  /** A tensor of these values, which are copied. */
  public static Tensor of(Shape shape, long... values) {
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(values, "values");
    Tensor tensor = filled(ElementType.INT64, shape, values.length);
    tensor.eachPiece((at, n, view) -> view.asLongBuffer().put(values, (int) at, n));
    return tensor;
  }

  /** A tensor of these values, which are copied; type INT8, UINT8 or BOOL. */
  public static Tensor of(ElementType type, Shape shape, byte... values) {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(values, "values");
    if (type.byteSize() != 1) {
      throw new CremaException("Bytes make a tensor of INT8, UINT8 or BOOL, not of " + type);
    }
    Tensor tensor = filled(type, shape, values.length);
    tensor.eachPiece((at, n, view) -> view.put(values, (int) at, n));
    return tensor;
  }

  /**
   * The whole of a buffer as a tensor, which shares the memory and keeps it whether or not the
   * buffer is closed.
   *
   * @throws CremaException if the sizes differ or the memory is not aligned to the element's size
   */
  public static Tensor over(Buffer buffer, ElementType type, Shape shape) {
    Objects.requireNonNull(buffer, "buffer");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(shape, "shape");
    if (buffer.byteSize() != shape.byteSize(type)) {
      throw new CremaException(
          buffer + " cannot be " + type + shape + ", which has " + shape.byteSize(type) + " bytes");
    }
    if (buffer.address() % type.byteSize() != 0) {
      throw new CremaException(
          buffer
              + " does not begin at a multiple of "
              + type.byteSize()
              + " bytes, as "
              + type
              + " needs. Copy it into Buffer.allocate(...).");
    }
    return new Tensor(buffer.slice(0, buffer.byteSize()), type, shape);
  }

  private static Tensor filled(ElementType type, Shape shape, int values) {
    if (shape.elements() != values) {
      throw new CremaException(
          "Shape "
              + shape
              + " has "
              + shape.elements()
              + " elements but there are "
              + values
              + " values");
    }
    return create(type, shape);
  }

  public ElementType type() {
    return type;
  }

  public Shape shape() {
    return shape;
  }

  /** Its memory; belongs to the tensor. */
  public Buffer buffer() {
    return buffer;
  }

  public long byteSize() {
    return buffer.byteSize();
  }

  /** A view of its bytes; shares the memory. */
  public ByteBuffer bytes() {
    return buffer.bytes();
  }

  /** A view of its elements, which must be FLOAT32; shares the memory. */
  public FloatBuffer floats() {
    require(ElementType.FLOAT32);
    return buffer.floats();
  }

  /** A view of its elements, which must be INT32; shares the memory. */
  public IntBuffer ints() {
    require(ElementType.INT32);
    return buffer.ints();
  }

  private void require(ElementType wanted) {
    if (type != wanted) {
      throw new CremaException(
          "A view as "
              + wanted
              + " of a tensor of "
              + type
              + ": convert it with to("
              + wanted
              + ")");
    }
  }

  /** A copy of its elements as floats. */
  public float[] toFloats() {
    float[] values = new float[arraySize()];
    if (type == ElementType.FLOAT32) {
      eachPiece((at, n, view) -> view.asFloatBuffer().get(values, (int) at, n));
    } else {
      eachPiece(
          (at, n, view) -> {
            for (int i = 0; i < n; i++) {
              values[(int) at + i] = (float) Elements.get(view, type, i);
            }
          });
    }
    return values;
  }

  /** A copy of its elements as longs; fractions are cut off. */
  public long[] toLongs() {
    long[] values = new long[arraySize()];
    eachPiece(
        (at, n, view) -> {
          for (int i = 0; i < n; i++) {
            values[(int) at + i] = Elements.getLong(view, type, i);
          }
        });
    return values;
  }

  /**
   * A copy of its elements as ints; fractions are cut off.
   *
   * @throws ArithmeticException if one is outside the range of an int
   */
  public int[] toInts() {
    int[] values = new int[arraySize()];
    eachPiece(
        (at, n, view) -> {
          for (int i = 0; i < n; i++) {
            values[(int) at + i] = Math.toIntExact(Elements.getLong(view, type, i));
          }
        });
    return values;
  }

  private int arraySize() {
    if (shape.elements() > Integer.MAX_VALUE - 8) {
      throw new CremaException(this + " has too many elements for a Java array; slice it first");
    }
    return (int) shape.elements();
  }

  /**
   * A copy with elements of another type: rounded to nearest, ties to even, for floating types;
   * saturated, with fractions cut off and NaN as 0, for integers; not 0 is true.
   */
  public Tensor to(ElementType target) {
    Objects.requireNonNull(target, "target");
    buffer.retain();
    try {
      Tensor copy = create(target, shape);
      eachPiece((at, n, view) -> Elements.convert(view, type, copy.piece(at, n), target, n));
      return copy;
    } finally {
      buffer.release();
    }
  }

  /** The same elements in another shape, as a view. */
  public Tensor reshape(Shape other) {
    Objects.requireNonNull(other, "other");
    if (other.elements() != shape.elements()) {
      throw new CremaException(
          "A tensor of shape "
              + shape
              + " ("
              + shape.elements()
              + " elements) cannot take shape "
              + other
              + " ("
              + other.elements()
              + ")");
    }
    return new Tensor(buffer.slice(0, buffer.byteSize()), type, other);
  }

  /** Rows {@code [begin, end)} of the first axis, as a view. */
  public Tensor slice(long begin, long end) {
    if (shape.rank() == 0) {
      throw new CremaException("A scalar has no axis to slice");
    }
    long rows = shape.dim(0);
    if (begin < 0 || end < begin || end > rows) {
      throw new IndexOutOfBoundsException(
          "Rows [" + begin + ", " + end + ") are not all in shape " + shape);
    }
    long[] dims = shape.dims();
    dims[0] = end - begin;
    long rowBytes = rows == 0 ? 0 : byteSize() / rows;
    return new Tensor(
        buffer.slice(begin * rowBytes, (end - begin) * rowBytes), type, Shape.of(dims));
  }

  @Override
  public void close() {
    buffer.close();
  }

  private interface Piece {
    void use(long at, int n, ByteBuffer view);
  }

  private void eachPiece(Piece piece) {
    buffer.retain();
    try {
      int step = PIECE / Long.BYTES;
      for (long at = 0; at < shape.elements(); at += step) {
        int n = (int) Math.min(step, shape.elements() - at);
        piece.use(at, n, piece(at, n));
      }
    } finally {
      buffer.release();
    }
  }

  private ByteBuffer piece(long at, int n) {
    return buffer.borrow(at * type.byteSize(), n * type.byteSize());
  }

  /** Type, shape and the first elements. */
  @Override
  public String toString() {
    String head = type.toString().toLowerCase(Locale.ROOT) + shape;
    if (buffer.isClosed()) {
      return head + " (closed)";
    }
    int n = (int) Math.min(SHOWN, shape.elements());
    ByteBuffer view =
        buffer.bytes(0, n * type.byteSize()); // holds the memory if someone closes it now
    StringJoiner values = new StringJoiner(", ", " {", n < shape.elements() ? ", …}" : "}");
    for (int i = 0; i < n; i++) {
      values.add(
          type.isFloating()
              ? Float.toString((float) Elements.get(view, type, i))
              : Long.toString(Elements.getLong(view, type, i)));
    }
    return head + values;
  }
}
