package dev.crema.data;

import dev.crema.CremaException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/** Opens files, gzip or not, and reads blocks whose size a header only claims. */
final class InputFiles {
  private static final int BUFFER = 1 << 16;
  private static final int FIRST_BLOCK = 1 << 20;

  /** Deflate packs at most 1032 bytes into one, so a header that claims more is wrong. */
  private static final long MOST_INFLATION = 1032;

  private InputFiles() {}

  /**
   * A stream and how much can come out of it at most.
   *
   * @param exact whether {@code limit} is the number of bytes
   */
  record Input(InputStream stream, long limit, boolean exact, String name)
      implements AutoCloseable {
    @Override
    public void close() throws IOException {
      stream.close();
    }
  }

  static Input open(Path file) throws IOException {
    return open(Files.newInputStream(file), Files.size(file), file.toString());
  }

  /** Inflates if the stream begins with the magic number of gzip. */
  static Input open(InputStream raw, long length, String name) throws IOException {
    InputStream in = new BufferedInputStream(raw, BUFFER);
    try {
      in.mark(2);
      boolean gzip = in.read() == 0x1F && in.read() == 0x8B;
      in.reset();
      return gzip
          ? new Input(new GZIPInputStream(in, BUFFER), length * MOST_INFLATION, false, name)
          : new Input(in, length, true, name);
    } catch (IOException | RuntimeException e) {
      raw.close();
      throw e;
    }
  }

  /**
   * Exactly {@code bytes} bytes. Memory grows with what really comes, so that a false claim costs
   * nothing.
   */
  static byte[] readExactly(InputStream in, long bytes, String name) throws IOException {
    Buffers.requireHeap(bytes, name);
    byte[] data = new byte[(int) Math.min(bytes, FIRST_BLOCK)];
    int n = 0;
    while (true) {
      n += in.readNBytes(data, n, data.length - n);
      if (n < data.length) {
        throw new EOFException("it ends after " + n + " of " + bytes + " bytes of data");
      }
      if (n == bytes) {
        return data;
      }
      data = Arrays.copyOf(data, (int) Math.min(bytes, 2L * n));
    }
  }

  static CremaException unreadable(String name, IOException e) {
    String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    if (e instanceof NoSuchFileException) {
      why = "there is no such file";
    } else if (e.getClass() == EOFException.class && e.getMessage() == null) {
      why = "it ends too early";
    }
    return new CremaException("Can't read " + name + ": " + why, e);
  }
}
