package dev.crema.memory;

/**
 * The state of one {@link Buffer}: apart from it, so that it outlives a buffer that nobody closed.
 * Every lease counts once; the owner's own ends with {@link #close}.
 */
final class Hold implements Runnable {
  final Block block;
  final String name;
  private int leases = 1;
  private boolean closed;

  /** Takes over one hold of the block from the caller. */
  Hold(Block block, String name) {
    this.block = block;
    this.name = name;
  }

  synchronized void requireOpen() {
    if (closed) {
      throw new IllegalStateException(
          name + " is closed. Keep it open for as long as it is used, or retain() it.");
    }
  }

  synchronized void retain() {
    requireOpen();
    leases++;
  }

  /** Whether this ended the last lease. */
  synchronized boolean release() {
    if (leases == (closed ? 0 : 1)) {
      throw new IllegalStateException(name + " was released more often than it was retained");
    }
    return end();
  }

  /** Whether this ended the last lease. */
  synchronized boolean close() {
    if (closed) {
      return false;
    }
    closed = true;
    return end();
  }

  synchronized boolean isClosed() {
    return closed;
  }

  private boolean end() {
    if (--leases > 0) {
      return false;
    }
    block.drop();
    return true;
  }

  /** The garbage collector found the buffer; or its last lease has ended and this does nothing. */
  @Override
  public synchronized void run() {
    if (leases > 0) {
      leases = 0;
      closed = true;
      Leaks.warnUnclosed(block, name);
      block.drop();
    }
  }
}
