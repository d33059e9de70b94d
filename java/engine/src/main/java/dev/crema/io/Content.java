package dev.crema.io;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;

/**
 * Bytes that are about to be written to a file. Called once for each write, on the writing thread;
 * an exception from {@link #writeTo} abandons the write and leaves the old file as it was.
 */
@FunctionalInterface
public interface Content {
  /** Writes everything to {@code out}, which the caller closes. */
  void writeTo(WritableByteChannel out) throws IOException;

  /** Bytes that {@link #writeTo} will write, or −1 if that is not known beforehand. */
  default long size() {
    return -1;
  }

  /** Shares {@code bytes}: do not change them before they are written. */
  static Bytes of(byte[] bytes) {
    return new Bytes(ByteBuffer.wrap(bytes));
  }

  /** UTF-8 text. */
  static Bytes of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The bytes between the buffer's position and limit now, whatever its byte order. Shares the
   * memory; the buffer's own position stays.
   */
  static Bytes of(ByteBuffer buffer) {
    return new Bytes(buffer.slice());
  }

  /** Content that lies in memory. */
  final class Bytes implements Content {
    // FileChannel copies a heap buffer to a direct one of the same size, kept with the thread.
    private static final int HEAP_CHUNK = 1 << 20;

    private final ByteBuffer buffer;

    private Bytes(ByteBuffer buffer) {
      this.buffer = buffer;
    }

    @Override
    public long size() {
      return buffer.remaining();
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
      writeFully(out, buffer.duplicate());
    }

    InputStream toStream() {
      return new ByteArrayInputStream(buffer.array(), buffer.arrayOffset(), buffer.remaining());
    }

    /** Writes all that remains of {@code from}, in pieces if it lies on the heap. */
    static void writeFully(WritableByteChannel out, ByteBuffer from) throws IOException {
      int end = from.limit();
      while (from.position() < end) {
        if (!from.isDirect()) {
          from.limit(Math.min(end, from.position() + HEAP_CHUNK));
        }
        out.write(from);
        from.limit(end);
      }
    }
  }
}
