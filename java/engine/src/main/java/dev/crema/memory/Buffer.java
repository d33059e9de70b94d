package dev.crema.memory;

import dev.crema.CremaException;
import dev.crema.natives.Crema;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.Objects;
import org.bytedeco.javacpp.Pointer;

/**
 * Off-heap memory with an owner and a lifetime, aligned to 64 bytes when Crema allocated it.
 *
 * <p>{@link #close} gives the memory back at once, unless someone else still needs it: a lease
 * ({@link #retain}; a plan holds one for as long as it may run), a {@link #slice}, or a view handed
 * out by {@link #bytes()} and its kin, which keeps the memory until the view and everything made
 * from it can no longer be reached. So no view ever dangles. Use after close is an {@link
 * IllegalStateException}; closing twice does nothing. A buffer that nobody closes is given back
 * when the garbage collector finds it, with a warning.
 *
 * <p>Thread-safe; the contents are not synchronised.
 */
public final class Buffer implements AutoCloseable {
  private final long offset;
  private final long byteSize;
  private final Hold hold;
  private final Cleaner.Cleanable cleanable;

  /** Takes over one hold of the block. */
  private Buffer(Block block, long offset, long byteSize, String name) {
    this.offset = offset;
    this.byteSize = byteSize;
    this.hold = new Hold(block, name);
    this.cleanable = Block.CLEANER.register(this, hold);
  }

  /** New memory, all zero bytes; the caller closes it. */
  public static Buffer allocate(long bytes) {
    return allocate(bytes, "Buffer");
  }

  /**
   * New memory, all zero bytes; the caller closes it.
   *
   * @param name what errors and leak reports call it
   * @throws CremaException if there is not that much memory, or the system property {@code
   *     crema.maxBytes} forbids it
   */
  public static Buffer allocate(long bytes, String name) {
    Objects.requireNonNull(name, "name");
    NativeCode.require();
    MemoryLimit.check(bytes, name);
    long address = Crema.crema_alloc(bytes);
    if (address == 0) {
      throw MemoryLimit.refusal(bytes, name);
    }
    Block block = new Block(address, bytes, true, Crema::crema_free);
    Leaks.remember(block, name);
    return new Buffer(block, 0, bytes, name);
  }

  /**
   * The memory of a direct buffer from its position to its limit, shared; the buffer is kept alive.
   *
   * @throws CremaException if it is not direct
   */
  public static Buffer wrap(ByteBuffer direct) {
    Objects.requireNonNull(direct, "direct");
    return WrappedMemory.of(direct, direct.remaining(), 1, ByteOrder.nativeOrder());
  }

  /**
   * The memory of a direct buffer from its position to its limit, shared; the buffer is kept alive.
   *
   * @throws CremaException if it is not direct or not of this machine's byte order
   */
  public static Buffer wrap(FloatBuffer direct) {
    Objects.requireNonNull(direct, "direct");
    return WrappedMemory.of(direct, direct.remaining(), Float.BYTES, direct.order());
  }

  /**
   * The memory of a direct buffer from its position to its limit, shared; the buffer is kept alive.
   *
   * @throws CremaException if it is not direct or not of this machine's byte order
   */
  public static Buffer wrap(IntBuffer direct) {
    Objects.requireNonNull(direct, "direct");
    return WrappedMemory.of(direct, direct.remaining(), Integer.BYTES, direct.order());
  }

  /**
   * The memory of a JavaCPP pointer from its position to its limit, shared; the pointer is kept
   * alive, and must not be deallocated or closed while this buffer is open.
   *
   * @throws CremaException if the pointer is null or does not know its limit
   */
  public static Buffer wrap(Pointer pointer) {
    Objects.requireNonNull(pointer, "pointer");
    return WrappedMemory.of(pointer);
  }

  /**
   * Bytes {@code [offset, offset + bytes)} of a file as memory; nothing is read before it is used.
   * Whoever shortens the file while it is mapped makes later reads fail.
   *
   * @param writable whether changes go to the file
   * @throws CremaException if the file is too short or cannot be opened
   */
  public static Buffer map(Path file, long offset, long bytes, boolean writable) {
    Objects.requireNonNull(file, "file");
    return MappedFile.map(file, offset, bytes, writable);
  }

  /** A buffer that takes over the caller's hold of a block. */
  static Buffer of(Block block, String name) {
    return new Buffer(block, 0, block.byteSize, name);
  }

  /** Bytes that Crema holds off the heap, in all buffers and plans of this process. */
  public static long allocatedBytes() {
    NativeCode.require();
    return Crema.crema_allocated_bytes();
  }

  public long byteSize() {
    return byteSize;
  }

  /** Whether its bytes may be changed: not those of a file mapped for reading. */
  public boolean isWritable() {
    return hold.block.writable;
  }

  /** Where it lies. Only for code that holds a lease for as long as it uses the address. */
  public long address() {
    hold.requireOpen();
    hold.block.settle();
    return hold.block.address + offset;
  }

  /** Adds a lease: the memory stays until {@link #release} even when the buffer gets closed. */
  public Buffer retain() {
    hold.retain();
    return this;
  }

  /**
   * Ends a lease.
   *
   * @throws IllegalStateException if there is none to end
   */
  public void release() {
    if (hold.release()) {
      cleanable.clean();
    }
  }

  @Override
  public void close() {
    if (hold.close()) {
      cleanable.clean();
    }
  }

  public boolean isClosed() {
    return hold.isClosed();
  }

  /**
   * Bytes {@code [offset, offset + bytes)} as a buffer of its own, which the caller closes. Shares
   * the memory and keeps it, whether or not this buffer is closed first.
   */
  public Buffer slice(long offset, long bytes) {
    requireRange(offset, bytes);
    hold.retain();
    try {
      hold.block.hold();
      String name = "bytes [" + offset + ", " + (offset + bytes) + ") of " + hold.name;
      return new Buffer(hold.block, this.offset + offset, bytes, name);
    } finally {
      release();
    }
  }

  /** A view of bytes {@code [offset, offset + bytes)}, native byte order; shares the memory. */
  public ByteBuffer bytes(long offset, int bytes) {
    requireRange(offset, bytes);
    hold.retain();
    try {
      return hold.block.view(this.offset + offset, bytes);
    } finally {
      release();
    }
  }

  /** A view of all of it, native byte order; shares the memory. */
  public ByteBuffer bytes() {
    return bytes(0, viewSize());
  }

  /** A view of all of it as floats; shares the memory. */
  public FloatBuffer floats() {
    return bytes().asFloatBuffer();
  }

  /** A view of all of it as ints; shares the memory. */
  public IntBuffer ints() {
    return bytes().asIntBuffer();
  }

  /**
   * As {@link #bytes(long, int)}, for the engine: the view does not keep the memory alive, so
   * whoever uses it holds a lease for as long, and never hands it out. Costs no work of the garbage
   * collector.
   */
  public ByteBuffer borrow(long offset, int bytes) {
    requireRange(offset, bytes);
    hold.requireOpen();
    return hold.block.borrow(this.offset + offset, bytes);
  }

  /**
   * Sets every byte.
   *
   * @throws CremaException if it is mapped for reading only
   */
  public void fill(byte value) {
    requireWritable();
    hold.retain();
    try {
      Crema.crema_fill(address(), value, byteSize);
      changed();
    } finally {
      release();
    }
  }

  /** Copies {@code bytes} bytes from another buffer, or from this one: the ranges may overlap. */
  public void copyFrom(long offset, Buffer source, long sourceOffset, long bytes) {
    Objects.requireNonNull(source, "source");
    requireRange(offset, bytes);
    source.requireRange(sourceOffset, bytes);
    requireWritable();
    source.retain();
    try {
      hold.retain();
      try {
        Crema.crema_copy(address() + offset, source.address() + sourceOffset, bytes);
        changed();
      } finally {
        release();
      }
    } finally {
      source.release();
      Reference.reachabilityFence(this);
    }
  }

  /**
   * A number that stays the same as long as the contents of its memory do, or -1 while someone may
   * be changing them: through a view that was handed out and can still be reached, or because the
   * memory is the caller's own. For the engine: what is computed from parameters ahead of runs.
   */
  public long version() {
    return hold.block.version();
  }

  /** For the engine: says that native code, or a view it borrowed, has changed the contents. */
  public void changed() {
    hold.block.changed();
  }

  /**
   * For devices with memory of their own: says that a copy has newer contents than all the memory
   * that this buffer is part of. Whoever next reads it through any buffer gets them copied back
   * first.
   */
  public void newerOn(DeviceCopy copy) {
    hold.block.newer(Objects.requireNonNull(copy, "copy"));
  }

  /** For devices with memory of their own: takes {@link #newerOn} back, no copy is newer. */
  public void newest() {
    hold.block.newer(null);
  }

  /** For the engine: has the contents copied back if a device has newer ones. */
  public void settle() {
    hold.block.settle();
  }

  /**
   * For devices with memory of their own: all the memory that this buffer is part of, as a buffer
   * that the caller closes.
   */
  public Buffer whole() {
    hold.retain();
    try {
      hold.block.hold();
      return new Buffer(hold.block, 0, hold.block.byteSize, hold.name);
    } finally {
      release();
    }
  }

  /**
   * Memory that something else allocated, as a buffer that gives it back with {@code free} when
   * nobody needs it any more.
   */
  public static Buffer owning(long address, long bytes, String name, Runnable free) {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(free, "free");
    if (bytes < 0 || (address == 0 && bytes > 0)) {
      throw new IllegalArgumentException(
          name + ": " + bytes + " bytes at address " + address + " are no memory");
    }
    Block block = new Block(address, bytes, true, (a, b) -> free.run());
    Leaks.remember(block, name);
    return new Buffer(block, 0, bytes, name);
  }

  private void requireWritable() {
    if (!isWritable()) {
      throw new CremaException(hold.name + " is mapped for reading only and cannot be changed");
    }
  }

  private int viewSize() {
    if (byteSize > Integer.MAX_VALUE) {
      throw new CremaException(
          hold.name
              + " has "
              + byteSize
              + " bytes; a Java view has at most "
              + Integer.MAX_VALUE
              + ". Ask for a part of it: bytes(offset, count).");
    }
    return (int) byteSize;
  }

  private void requireRange(long offset, long bytes) {
    if (offset < 0 || bytes < 0 || offset > byteSize - bytes) {
      throw new IndexOutOfBoundsException(
          bytes + " bytes from offset " + offset + " are not all in " + this);
    }
  }

  @Override
  public String toString() {
    return hold.name + " (" + byteSize + " bytes" + (isClosed() ? ", closed)" : ")");
  }
}
