package dev.crema.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.security.MessageDigest;
import java.util.zip.CRC32;

/** Passes bytes on, counting and summing what the file took. */
final class SummingChannel implements WritableByteChannel {
  private final WritableByteChannel out;
  private final MessageDigest sha256 = Checksums.digest();
  private final CRC32 crc32 = new CRC32();
  private long written;

  SummingChannel(WritableByteChannel out) {
    this.out = out;
  }

  long written() {
    return written;
  }

  long crc32() {
    return crc32.getValue();
  }

  /** Lower-case hexadecimal; ends the sum. */
  String sha256() {
    return Checksums.hex(sha256);
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    ByteBuffer taken = src.duplicate();
    int n = out.write(src);
    taken.limit(taken.position() + n);
    sha256.update(taken.duplicate());
    crc32.update(taken);
    written += n;
    return n;
  }

  @Override
  public boolean isOpen() {
    return out.isOpen();
  }

  @Override
  public void close() {
    // the file belongs to whoever opened it
  }
}
