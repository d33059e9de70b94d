package dev.crema.io;

import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;

/**
 * A tensor to be written.
 *
 * @param name any text without control characters; not {@code __metadata__}
 * @param content its bytes, little-endian and row-major, exactly as many as the shape takes
 */
public record NamedTensor(String name, ElementType type, Shape shape, Content content) {
  /** A tensor in a buffer; see {@link Content#of(ByteBuffer)}. */
  public static NamedTensor of(String name, ElementType type, Shape shape, ByteBuffer bytes) {
    return new NamedTensor(name, type, shape, Content.of(bytes));
  }

  /** Bytes it takes. */
  public long byteSize() {
    return shape.byteSize(type);
  }
}
