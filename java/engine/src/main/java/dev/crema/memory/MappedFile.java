package dev.crema.memory;

import dev.crema.CremaException;
import dev.crema.natives.Crema;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;

/** A file, or a part of one, as a {@link Buffer}. */
final class MappedFile {
  private static final int ERROR_BYTES = 256;

  private MappedFile() {}

  static Buffer map(Path file, long offset, long bytes, boolean writable) {
    String name = "Mapped file " + file + " bytes [" + offset + ", " + (offset + bytes) + ")";
    if (offset < 0 || bytes < 0 || offset > Long.MAX_VALUE - bytes) {
      throw new IndexOutOfBoundsException(name + " is not a range");
    }
    if (file.getFileSystem() != FileSystems.getDefault()) {
      throw new CremaException(
          name + ": only files of the computer's own file system can be mapped");
    }
    if (bytes == 0) {
      return Buffer.allocate(0, name);
    }
    byte[] path = file.toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8);
    try (Buffer text = Buffer.allocate(path.length + 1L, "File name");
        Buffer error = Buffer.allocate(ERROR_BYTES, "Error message")) {
      text.borrow(0, path.length).put(path);
      text.borrow(path.length, 1).put((byte) 0);
      long address =
          Crema.crema_map(
              text.address(), offset, bytes, writable ? 1 : 0, error.address(), ERROR_BYTES);
      if (address == 0) {
        throw new CremaException(name + " cannot be mapped: " + message(error));
      }
      return Buffer.of(new Block(address, bytes, writable, Crema::crema_unmap), name);
    }
  }

  private static String message(Buffer error) {
    ByteBuffer text = error.borrow(0, ERROR_BYTES);
    int length = 0;
    while (text.get(length) != 0) {
      length++;
    }
    return StandardCharsets.UTF_8.decode(text.slice(0, length)).toString();
  }
}
