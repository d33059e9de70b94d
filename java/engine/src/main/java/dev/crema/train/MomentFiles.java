package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.io.Content;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/**
 * Flat float buffers in a checkpoint: moments, and what callbacks remember. They may have more
 * bytes than a {@code ByteBuffer} holds, so they are written and read in stretches.
 */
final class MomentFiles {
  private static final int STRETCH = 1 << 30;

  private MomentFiles() {}

  /** All of a buffer, as it is when the file is written; its owner keeps it open until then. */
  static NamedTensor tensor(String name, Buffer floats) {
    return tensor(name, floats, STRETCH);
  }

  static NamedTensor tensor(String name, Buffer floats, int stretch) {
    Shape shape = Shape.of(floats.byteSize() / Float.BYTES);
    Content content =
        new Content() {
          @Override
          public long size() {
            return floats.byteSize();
          }

          @Override
          public void writeTo(WritableByteChannel out) throws IOException {
            for (long from = 0; from < size(); from += stretch) {
              int bytes = (int) Math.min(stretch, size() - from);
              Content.of(floats.borrow(from, bytes)).writeTo(out);
            }
          }
        };
    return new NamedTensor(name, ElementType.FLOAT32, shape, content);
  }

  /**
   * @throws CremaException if there is no tensor of that name and size
   */
  static void read(Safetensors tensors, String name, Buffer into) {
    read(tensors, name, into, STRETCH);
  }

  static void read(Safetensors tensors, String name, Buffer into, int stretch) {
    long size = tensors.tensor(name).byteSize();
    if (size != into.byteSize()) {
      throw new CremaException(
          "The checkpoint is of a model with other parameters: '"
              + name
              + "' has "
              + size
              + " bytes, expected "
              + into.byteSize()
              + ". Use another folder.");
    }
    for (long from = 0; from < size; from += stretch) {
      tensors.read(name, from, into.borrow(from, (int) Math.min(stretch, size - from)));
    }
    into.changed();
  }
}
