package dev.crema.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Counts what passes and drops what exceeds a limit, so that too much never reaches the file. */
final class CountingChannel implements WritableByteChannel {
  private final WritableByteChannel out;
  private final long limit;
  private long written;

  CountingChannel(WritableByteChannel out, long limit) {
    this.out = out;
    this.limit = limit;
  }

  /** Bytes handed in, dropped ones included. */
  long written() {
    return written;
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    if (src.remaining() > limit - written) {
      int dropped = src.remaining();
      src.position(src.limit());
      written += dropped;
      return dropped;
    }
    int n = out.write(src);
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
