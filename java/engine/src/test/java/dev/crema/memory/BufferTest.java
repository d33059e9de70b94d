package dev.crema.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.concurrent.locks.LockSupport;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BufferTest {
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 63, 64, 65, 4096, 9_000_001})
  void newMemoryIsAlignedZeroAndCounted(long bytes) {
    long before = Buffer.allocatedBytes();
    try (Buffer buffer = Buffer.allocate(bytes)) {
      assertThat(buffer.address() % 64).isZero();
      assertThat(buffer.byteSize()).isEqualTo(bytes);
      assertThat(Buffer.allocatedBytes() - before).isEqualTo(bytes);
      ByteBuffer view = buffer.borrow(0, (int) bytes);
      while (view.hasRemaining()) {
        assertThat(view.get() != 0).isFalse();
      }
    }
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }

  @Test
  void viewsShareTheMemoryInNativeOrder() {
    try (Buffer buffer = Buffer.allocate(16)) {
      assertThat(buffer.bytes().order()).isEqualTo(ByteOrder.nativeOrder());
      buffer.floats().put(1, 1.5f);
      assertThat(buffer.ints().get(1)).isEqualTo(Float.floatToIntBits(1.5f));
      assertThat(buffer.bytes(4, 4).getFloat(0)).isEqualTo(1.5f);
    }
  }

  @Test
  void everyUseAfterCloseNamesTheBuffer() {
    Buffer buffer = Buffer.allocate(8, "Weights of Dense[2]");
    buffer.close();
    buffer.close();
    assertThat(buffer.isClosed()).isTrue();
    try (Buffer other = Buffer.allocate(8)) {
      for (Runnable use :
          new Runnable[] {
            buffer::address,
            buffer::bytes,
            buffer::floats,
            buffer::ints,
            buffer::retain,
            () -> buffer.borrow(0, 8),
            () -> buffer.slice(0, 8),
            () -> other.copyFrom(0, buffer, 0, 8),
            () -> buffer.copyFrom(0, other, 0, 8)
          }) {
        assertThatThrownBy(use::run)
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("Weights of Dense[2] is closed");
      }
    }
  }

  @Test
  void aLeaseKeepsTheMemoryAfterClose() {
    long before = Buffer.allocatedBytes();
    Buffer buffer = Buffer.allocate(128);
    buffer.retain();
    buffer.close();
    assertThat(Buffer.allocatedBytes() - before).isEqualTo(128);
    buffer.release();
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
    assertThatThrownBy(buffer::release).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void theOwnersOwnLeaseCannotBeReleased() {
    try (Buffer buffer = Buffer.allocate(1)) {
      assertThatThrownBy(buffer::release)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("released more often than it was retained");
      assertThat(buffer.bytes().get(0)).isZero();
    }
  }

  @Test
  void aSliceSharesTheMemoryAndKeepsIt() {
    long before = Buffer.allocatedBytes();
    Buffer buffer = Buffer.allocate(128);
    Buffer slice = buffer.slice(64, 8);
    Buffer inner = slice.slice(4, 4);
    inner.ints().put(0, 7);
    assertThat(buffer.ints().get(17)).isEqualTo(7);
    buffer.close();
    slice.close();
    assertThat(inner.borrow(0, 4).getInt(0)).isEqualTo(7);
    inner.close();
    assertThat(Buffer.allocatedBytes() - before)
        .isIn(0L, 128L); // the views above may still be there
  }

  @Test
  void copiesBetweenBuffersAndWithinOne() {
    try (Buffer a = Buffer.allocate(16);
        Buffer b = Buffer.allocate(8)) {
      for (int i = 0; i < 16; i++) {
        a.borrow(0, 16).put(i, (byte) i);
      }
      b.copyFrom(0, a, 4, 8);
      assertThat(b.borrow(0, 8).get(0)).isEqualTo((byte) 4);
      a.copyFrom(2, a, 0, 10);
      assertThat(a.borrow(0, 16).get(11)).isEqualTo((byte) 9);
      assertThatThrownBy(() -> b.copyFrom(1, a, 0, 8))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> b.copyFrom(0, a, 9, 8))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void directBuffersAreSharedFromPositionToLimit() {
    ByteBuffer direct = ByteBuffer.allocateDirect(32).order(ByteOrder.nativeOrder());
    direct.position(8).limit(24);
    FloatBuffer floats =
        ByteBuffer.allocateDirect(16).order(ByteOrder.nativeOrder()).asFloatBuffer();
    floats.position(1);
    IntBuffer ints = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder()).asIntBuffer();
    try (Buffer a = Buffer.wrap(direct);
        Buffer b = Buffer.wrap(floats);
        Buffer c = Buffer.wrap(ints)) {
      a.ints().put(0, 5);
      assertThat(direct.getInt(8)).isEqualTo(5);
      assertThat(a.byteSize()).isEqualTo(16);
      b.floats().put(2, 2.5f);
      assertThat(floats.get(3)).isEqualTo(2.5f);
      assertThat(b.byteSize()).isEqualTo(12);
      c.ints().put(1, 6);
      assertThat(ints.get(1)).isEqualTo(6);
    }
  }

  @Test
  void wrappedMemoryOutlivesEveryReferenceButTheBuffers() {
    try (Buffer buffer = Buffer.wrap(ByteBuffer.allocateDirect(1 << 20))) {
      System.gc();
      buffer.bytes().put(12_345, (byte) 1);
      assertThat(buffer.bytes().get(12_345)).isEqualTo((byte) 1);
    }
  }

  @Test
  void heapBuffersAndForeignByteOrderAreRefused() {
    assertThatThrownBy(() -> Buffer.wrap(ByteBuffer.allocate(4)))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("allocateDirect");
    ByteOrder foreign =
        ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
            ? ByteOrder.BIG_ENDIAN
            : ByteOrder.LITTLE_ENDIAN;
    FloatBuffer floats = ByteBuffer.allocateDirect(4).order(foreign).asFloatBuffer();
    assertThatThrownBy(() -> Buffer.wrap(floats))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("order(ByteOrder.nativeOrder())");
  }

  @Test
  void aReadOnlyBufferStaysReadOnly() {
    try (Buffer buffer = Buffer.wrap(ByteBuffer.allocateDirect(4).asReadOnlyBuffer());
        Buffer other = Buffer.allocate(4)) {
      assertThat(buffer.isWritable()).isFalse();
      assertThat(buffer.bytes().isReadOnly()).isTrue();
      assertThatThrownBy(() -> buffer.copyFrom(0, other, 0, 4)).isInstanceOf(CremaException.class);
    }
  }

  @Test
  void aJavaCppPointerIsSharedFromPositionToLimit() {
    try (Buffer memory = Buffer.allocate(16)) {
      Pointer pointer = new At(memory.address(), 16);
      pointer.position(4).limit(12);
      try (Buffer buffer = Buffer.wrap(pointer)) {
        assertThat(buffer.byteSize()).isEqualTo(8);
        assertThat(buffer.address()).isEqualTo(memory.address() + 4);
      }
      assertThatThrownBy(() -> Buffer.wrap(new At(memory.address(), 0)))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("limit(");
      assertThatThrownBy(() -> Buffer.wrap(new At(0, 16))).isInstanceOf(CremaException.class);
    }
  }

  /** A pointer made without JavaCPP's own native library. */
  private static final class At extends BytePointer {
    At(long address, long bytes) {
      super((Pointer) null);
      this.address = address;
      this.limit = bytes;
      this.capacity = bytes;
    }

    @Override
    public int sizeof() {
      return 1;
    }
  }

  @Test
  void absurdRequestsAreRefusedWithWhatIsHeldAndTheLimit() {
    for (long bytes : new long[] {1L << 50, Long.MAX_VALUE, Long.MAX_VALUE - 63}) {
      assertThatThrownBy(() -> Buffer.allocate(bytes, "Arena"))
          .isInstanceOf(CremaException.class)
          .hasMessageStartingWith("Out of native memory: Arena asks for ")
          .hasMessageContaining("Crema holds ")
          .hasMessageContaining("the limit is ")
          .hasMessageContaining("crema.maxBytes");
    }
    assertThatThrownBy(() -> Buffer.allocate(-1)).isInstanceOf(CremaException.class);
  }

  @Test
  void aLimitCanBeSetAndIsKept() {
    for (int i = 0;
        i < 12 && Block.hasViews();
        i++) { // of tests before: they count until collected
      System.gc();
      LockSupport.parkNanos(1_000_000L << i);
    }
    System.setProperty("crema.maxBytes", Long.toString(Buffer.allocatedBytes() + 1000));
    try {
      try (Buffer fits = Buffer.allocate(900)) {
        assertThat(fits.byteSize()).isEqualTo(900);
        assertThatThrownBy(() -> Buffer.allocate(200))
            .isInstanceOf(CremaException.class)
            .hasMessageContaining("200 bytes")
            .hasMessageContaining("system property crema.maxBytes");
      }
      try (Buffer again = Buffer.allocate(1000)) {
        assertThat(again.isClosed()).isFalse();
      }
    } finally {
      System.clearProperty("crema.maxBytes");
    }
  }

  @Test
  void limitsMayHaveUnits() {
    assertThat(MemoryLimit.parse("123")).isEqualTo(123);
    assertThat(MemoryLimit.parse("2k")).isEqualTo(2048);
    assertThat(MemoryLimit.parse("3G")).isEqualTo(3L << 30);
    for (String wrong : new String[] {"x", "-1", "9999999999g", "1.5g", "k"}) {
      assertThatThrownBy(() -> MemoryLimit.parse(wrong))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("crema.maxBytes");
    }
  }
}
