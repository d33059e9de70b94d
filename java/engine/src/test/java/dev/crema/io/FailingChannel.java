package dev.crema.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** A disk that is full after so many bytes. */
final class FailingChannel implements SeekableByteChannel {
  private final SeekableByteChannel out;
  private long left;

  FailingChannel(SeekableByteChannel out, long capacity) {
    this.out = out;
    this.left = capacity;
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    if (left == 0 && src.hasRemaining()) {
      throw new IOException("No space left on device");
    }
    ByteBuffer part = src.duplicate();
    part.limit(part.position() + (int) Math.min(left, part.remaining()));
    int n = out.write(part);
    src.position(src.position() + n);
    left -= n;
    return n;
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    return out.read(dst);
  }

  @Override
  public long position() throws IOException {
    return out.position();
  }

  @Override
  public SeekableByteChannel position(long p) throws IOException {
    out.position(p);
    return this;
  }

  @Override
  public long size() throws IOException {
    return out.size();
  }

  @Override
  public SeekableByteChannel truncate(long size) throws IOException {
    out.truncate(size);
    return this;
  }

  @Override
  public boolean isOpen() {
    return out.isOpen();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
