package dev.crema.memory;

import dev.crema.natives.Memory;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A piece of native memory and the number of those who need it: buffers, slices, leases and views
 * handed out. The last to go gives it back, at once.
 */
final class Block {
  static final Cleaner CLEANER = Cleaner.create();

  /** Views handed out that can still be reached. */
  private static final AtomicInteger VIEWS = new AtomicInteger();

  /** How the memory is given back. */
  interface Free {
    void free(long address, long byteSize);
  }

  final long address;
  final long byteSize;
  final boolean writable;
  private final Free free;
  private final AtomicInteger holders = new AtomicInteger(1);
  private final AtomicInteger views = new AtomicInteger(); // handed out, can still be reached
  private final AtomicLong changes = new AtomicLong();
  private volatile boolean foreign; // others know where it lies
  private volatile DeviceCopy newer; // has contents that this memory does not have yet

  /** A block with one holder: the caller. */
  Block(long address, long byteSize, boolean writable, Free free) {
    this.address = address;
    this.byteSize = byteSize;
    this.writable = writable;
    this.free = free;
  }

  /** For those who know that someone holds it. */
  void hold() {
    holders.incrementAndGet();
  }

  void drop() {
    if (holders.decrementAndGet() == 0) {
      Leaks.forget(this);
      free.free(address, byteSize);
    }
  }

  /** Has the contents copied back if a device has newer ones. */
  void settle() {
    DeviceCopy copy = newer;
    if (copy != null) {
      copy.download();
    }
  }

  /** Says that a device has newer contents; null: no more. */
  void newer(DeviceCopy copy) {
    newer = copy;
  }

  /** A view that holds the block for as long as it, or anything made from it, can be reached. */
  ByteBuffer view(long from, int bytes) {
    // What is made from a view refers to the first of them: a read-only view is not that one.
    ByteBuffer root = Memory.view(address + from, bytes);
    hold();
    VIEWS.incrementAndGet();
    views.incrementAndGet();
    CLEANER.register(root, this::dropView);
    settle(); // a device that changes the contents from now on knows of this view
    return shown(root);
  }

  private void dropView() {
    VIEWS.decrementAndGet();
    changed();
    views.decrementAndGet();
    drop();
  }

  /** Says that its contents may be others now. */
  void changed() {
    changes.incrementAndGet();
  }

  /** As long as this is the same and not negative, the contents are. */
  long version() {
    return foreign || views.get() > 0 ? -1 : changes.get();
  }

  /** For memory that someone else may write to at any time. */
  Block foreign() {
    foreign = true;
    return this;
  }

  /** A view that does not hold the block. */
  ByteBuffer borrow(long from, int bytes) {
    settle();
    return shown(Memory.view(address + from, bytes));
  }

  private ByteBuffer shown(ByteBuffer view) {
    return (writable ? view : view.asReadOnlyBuffer()).order(ByteOrder.nativeOrder());
  }

  static boolean hasViews() {
    return VIEWS.get() > 0;
  }
}
