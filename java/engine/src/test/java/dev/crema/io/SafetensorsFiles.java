package dev.crema.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Safetensors files put together by hand, good and bad. */
final class SafetensorsFiles {
  private SafetensorsFiles() {}

  static byte[] bytes(String header, int dataSize) {
    return bytes(header.getBytes(StandardCharsets.UTF_8), dataSize);
  }

  /** Data is 1, 2, 3, ... */
  static byte[] bytes(byte[] header, int dataSize) {
    ByteBuffer b = ByteBuffer.allocate(8 + header.length + dataSize).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(header.length).put(header);
    for (int i = 1; i <= dataSize; i++) {
      b.put((byte) i);
    }
    return b.array();
  }

  static byte[] withLength(long length, byte[] file) {
    byte[] copy = Arrays.copyOf(file, file.length);
    ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
    return copy;
  }

  static String entry(String name, String dtype, String shape, long begin, long end) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
        .formatted(name, dtype, shape, begin, end);
  }

  static Path write(Path folder, byte[] bytes) {
    try {
      return Files.write(folder.resolve("hand.safetensors"), bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
