package dev.crema.memory;

import dev.crema.CremaException;
import dev.crema.natives.Crema;
import dev.crema.natives.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Off-heap memory with an owner and a lifetime, aligned to 64 bytes when Crema allocated it. {@link
 * #close} gives it back at once; while someone holds a lease ({@link #retain}) the memory stays
 * until the last lease ends. Use after close is an {@link IllegalStateException}. Thread-safe; the
 * contents are not synchronised.
 */
public final class Buffer implements AutoCloseable {
  private final long address;
  private final long byteSize;
  private int leases = 1;
  private boolean closed;

  private Buffer(long address, long byteSize) {
    this.address = address;
    this.byteSize = byteSize;
  }

  /** New memory, all zero bytes. */
  public static Buffer allocate(long bytes) {
    long address = Crema.crema_alloc(bytes);
    if (address == 0) {
      throw new CremaException("Out of native memory: asked for " + bytes + " bytes");
    }
    return new Buffer(address, bytes);
  }

  /** Bytes that Crema holds off the heap, in all buffers and plans of this process. */
  public static long allocatedBytes() {
    return Crema.crema_allocated_bytes();
  }

  public long byteSize() {
    return byteSize;
  }

  /** Where it lies. Only for code that holds a lease for as long as it uses the address. */
  public synchronized long address() {
    requireOpen();
    return address;
  }

  /** Adds a lease: the memory stays until {@link #release} even when the buffer gets closed. */
  public synchronized Buffer retain() {
    requireOpen();
    leases++;
    return this;
  }

  /** Ends a lease. */
  public void release() {
    drop();
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    drop();
  }

  public synchronized boolean isClosed() {
    return closed;
  }

  /** A view of bytes [offset, offset + bytes), native byte order; shares the memory. */
  public synchronized ByteBuffer bytes(long offset, int bytes) {
    requireOpen();
    if (offset < 0 || bytes < 0 || offset + bytes > byteSize) {
      throw new IndexOutOfBoundsException(
          "View of bytes [" + offset + ", " + (offset + bytes) + ") of a buffer of " + byteSize);
    }
    return Memory.view(address + offset, bytes).order(ByteOrder.nativeOrder());
  }

  /**
   * As {@link #bytes}, for the engine: the view does not keep the memory alive, so whoever uses it
   * holds a lease for as long, and never hands it out.
   */
  public ByteBuffer borrow(long offset, int bytes) {
    return bytes(offset, bytes);
  }

  /** All of it as floats; shares the memory. */
  public FloatBuffer floats() {
    return bytes(0, Math.toIntExact(byteSize)).asFloatBuffer();
  }

  private synchronized void drop() {
    if (--leases == 0) {
      Crema.crema_free(address, byteSize);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This buffer of " + byteSize + " bytes is closed");
    }
  }
}
