package dev.crema.io;

import dev.crema.CremaException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import java.util.zip.ZipException;

/**
 * A file of an open archive.
 *
 * @param where the file as the user knows it, for errors
 * @param bytes as they lie on the disk
 * @param deflated whether they are compressed (RFC 1951)
 * @param size uncompressed
 */
record ArchiveEntry(String where, FileRange bytes, boolean deflated, long size) {
  /**
   * The uncompressed bytes; more or fewer of them than {@code size} is an {@link IOException}. The
   * caller closes it.
   */
  InputStream stream() {
    return deflated ? new Inflated(bytes.stream(), size) : bytes.stream();
  }

  /** All bytes; the caller knows that they are few. */
  byte[] read() throws IOException {
    try (InputStream in = stream()) {
      byte[] all = new byte[Math.toIntExact(size)];
      if (in.readNBytes(all, 0, all.length) < all.length || in.read() >= 0) {
        throw new EOFException("it is not as long as declared");
      }
      return all;
    }
  }

  /**
   * The uncompressed bytes as a stretch of a file: in place, or if they are deflated in a temporary
   * file, which is deleted when the result is closed.
   */
  FileRange range() throws IOException {
    if (!deflated) {
      return bytes;
    }
    Path temporary = Files.createTempFile("crema", ".part");
    FileChannel channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);
    try (InputStream in = stream()) {
      byte[] chunk = new byte[1 << 16];
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
        Content.Bytes.writeFully(channel, ByteBuffer.wrap(chunk, 0, n));
      }
      return FileRange.of(channel);
    } catch (IOException e) {
      channel.close();
      throw FileErrors.cannotWrite(temporary, size, e);
    } catch (CremaException e) {
      channel.close();
      throw e;
    }
  }

  private static final class Inflated extends InflaterInputStream {
    private final long size;
    private long seen;

    Inflated(InputStream in, long size) {
      super(in, new Inflater(true), 1 << 16);
      this.size = size;
    }

    @Override
    public int read(byte[] b, int off, int len) throws IOException {
      int n = super.read(b, off, len);
      seen += Math.max(n, 0);
      if (seen > size || n < 0 && seen < size) {
        throw new ZipException("it unpacks to another length than the " + size + " bytes declared");
      }
      return n;
    }

    @Override
    protected void fill() throws IOException {
      len = in.read(buf, 0, buf.length);
      if (len < 0) {
        throw new EOFException("its packed data is cut short");
      }
      inf.setInput(buf, 0, len);
    }

    @Override
    public void close() throws IOException {
      inf.end();
      super.close();
    }
  }
}
