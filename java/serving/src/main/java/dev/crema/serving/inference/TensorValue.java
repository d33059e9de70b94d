package dev.crema.serving.inference;

import dev.crema.memory.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;

/**
 * The values of a tensor in a request or an answer.
 *
 * @param type of its elements
 * @param shape extents, the batch first; owned by this value, not to be changed
 * @param data the elements, row-major, little endian, from position 0 to the limit; shared, not
 *     copied, and not written to by whoever reads it
 */
public record TensorValue(ElementType type, long[] shape, ByteBuffer data) {
  /**
   * @throws ServingException if an extent is negative or the data has not as many bytes as the
   *     shape says
   */
  public TensorValue {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(data, "data");
    long bytes = byteSize(type, shape);
    if (bytes != data.remaining()) {
      throw ServingException.invalidArgument(
          type
              + Arrays.toString(shape)
              + " has "
              + bytes
              + " bytes, got "
              + data.remaining()
              + " bytes of data");
    }
    data = data.slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * A tensor of these values, copied.
   *
   * @param values row-major, as many as the shape has elements
   */
  public static TensorValue of(float[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new TensorValue(ElementType.FLOAT32, shape, bytes);
  }

  /**
   * A copy of the values of a float32 tensor, row-major.
   *
   * @throws IllegalStateException if it is of another type
   */
  public float[] floats() {
    if (type != ElementType.FLOAT32) {
      throw new IllegalStateException("Expected a FLOAT32 tensor, this is " + this);
    }
    float[] values = new float[data.remaining() / Float.BYTES];
    data().asFloatBuffer().get(values);
    return values;
  }

  /** Bytes that a tensor of that shape takes. */
  public static long byteSize(ElementType type, long... shape) {
    long elements = 1;
    for (long extent : shape) {
      if (extent < 0) {
        throw ServingException.invalidArgument(
            "A shape has no negative extents, got " + Arrays.toString(shape));
      }
      try {
        elements = Math.multiplyExact(elements, extent);
      } catch (ArithmeticException e) {
        throw ServingException.invalidArgument(
            "A tensor of shape " + Arrays.toString(shape) + " is too big");
      }
    }
    return Math.multiplyExact(elements, type.byteSize());
  }

  /** Examples: the first extent; 1 for a scalar. */
  public long rows() {
    return shape.length == 0 ? 1 : shape[0];
  }

  /** A view of the data that others can move about in. */
  @Override
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TensorValue t
        && type == t.type
        && Arrays.equals(shape, t.shape)
        && data.equals(t.data);
  }

  @Override
  public int hashCode() {
    return Objects.hash(type, Arrays.hashCode(shape), data);
  }

  @Override
  public String toString() {
    return type + Arrays.toString(shape);
  }
}
