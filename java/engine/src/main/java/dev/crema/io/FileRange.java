package dev.crema.io;

import dev.crema.CremaException;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A stretch of an open file: the whole of it, or an entry of a zip. Stays readable when the file is
 * replaced or deleted. Slices share the channel; closing any of them closes all. Thread-safe.
 */
final class FileRange implements Closeable {
  // FileChannel reads into a heap buffer through a direct one of the same size, kept with the
  // thread.
  private static final int HEAP_CHUNK = 1 << 16;

  private final FileChannel channel;
  private final long start;
  private final long size;

  private FileRange(FileChannel channel, long start, long size) {
    this.channel = channel;
    this.start = start;
    this.size = size;
  }

  static FileRange open(Path file) throws IOException {
    if (!Files.isRegularFile(file)) { // opening a pipe would wait for its writer
      if (!Files.exists(file)) {
        throw new NoSuchFileException(file.toString());
      }
      throw new IOException("it is not a regular file");
    }
    return of(FileChannel.open(file, StandardOpenOption.READ));
  }

  static FileRange of(FileChannel channel) throws IOException {
    try {
      return new FileRange(channel, 0, channel.size());
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  long size() {
    return size;
  }

  FileRange slice(long from, long length) {
    check(from, length);
    return new FileRange(channel, start + from, length);
  }

  /** Fills what remains of {@code dst}; its position moves only if all of it was read. */
  void read(long from, ByteBuffer dst) throws IOException {
    check(from, dst.remaining());
    ByteBuffer part = dst.duplicate();
    long at = start + from;
    while (part.position() < dst.limit()) {
      if (!dst.isDirect()) {
        part.limit(Math.min(dst.limit(), part.position() + HEAP_CHUNK));
      }
      int n = channel.read(part, at);
      if (n < 0) {
        throw new EOFException("the file became shorter while it was read");
      }
      at += n;
      part.limit(dst.limit());
    }
    dst.position(dst.limit());
  }

  /** Read-only little-endian mapping; lives until the garbage collector finds it unreachable. */
  ByteBuffer map(long from, int length) throws IOException {
    check(from, length);
    ByteBuffer bytes =
        length == 0
            ? ByteBuffer.allocateDirect(0).asReadOnlyBuffer()
            : channel.map(FileChannel.MapMode.READ_ONLY, start + from, length);
    return bytes.order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The bytes from first to last. Closing the stream does not close the file. */
  InputStream stream() {
    return new InputStream() {
      private long at;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] b, int off, int len) throws IOException {
        if (len == 0) {
          return 0;
        }
        int n = (int) Math.min(Math.min(len, HEAP_CHUNK), size - at);
        if (n == 0) {
          return -1;
        }
        FileRange.this.read(at, ByteBuffer.wrap(b, off, n));
        at += n;
        return n;
      }

      @Override
      public int available() {
        return (int) Math.min(Integer.MAX_VALUE, size - at);
      }
    };
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void check(long from, long length) {
    if (from < 0 || length < 0 || from > size - length) {
      throw new CremaException(
          "Bytes " + from + " to " + (from + length) + " lie outside a range of " + size);
    }
  }
}
