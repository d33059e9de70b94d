package dev.crema.io;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;

/**
 * One tensor in a safetensors file.
 *
 * @param name unique in its file
 * @param dtype the format's name of the element type, for example {@code F32}; may be one that
 *     Crema does not compute with
 * @param shape row-major, outermost axis first
 * @param offset of its first byte, from the start of the file's data
 * @param byteSize its length in the file
 */
public record TensorInfo(String name, String dtype, Shape shape, long offset, long byteSize) {
  /** Whether {@link #type} answers. */
  public boolean isSupported() {
    return SafetensorsType.valueOf(dtype).element().isPresent();
  }

  /**
   * The element type.
   *
   * @throws CremaException if Crema has no such type
   */
  public ElementType type() {
    return SafetensorsType.valueOf(dtype)
        .element()
        .orElseThrow(
            () ->
                new CremaException(
                    "Tensor '"
                        + name
                        + "' has elements of type "
                        + dtype
                        + ", which is not supported (supported: F32, BF16, F16, I8, U8, I32, I64,"
                        + " BOOL). Convert it before saving it."));
  }
}
