package dev.crema.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class BufferPropertyTest {
  private static final int SIZE = 256;

  @Property(tries = 500)
  void aRangeInsideGivesThoseBytesAndAnyOtherIsRefused(@ForAll long offset, @ForAll int bytes) {
    check(offset, bytes);
    check(offset % (SIZE + 2), bytes % (SIZE + 2));
  }

  private static void check(long offset, int bytes) {
    long before = Buffer.allocatedBytes();
    try (Buffer buffer = counting()) {
      if (offset >= 0 && bytes >= 0 && offset + bytes <= SIZE && offset <= SIZE) {
        try (Buffer slice = buffer.slice(offset, bytes)) {
          assertThat(slice.byteSize()).isEqualTo(bytes);
          for (int i = 0; i < bytes; i++) {
            assertThat(slice.borrow(0, bytes).get(i)).isEqualTo((byte) (offset + i));
          }
          assertThat(buffer.borrow(offset, bytes)).isEqualTo(slice.borrow(0, bytes));
        }
      } else {
        assertThatThrownBy(() -> buffer.slice(offset, bytes))
            .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> buffer.bytes(offset, bytes))
            .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> buffer.borrow(offset, bytes))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
    }
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }

  @Property(tries = 200)
  void aSliceOfASliceIsTheSliceOfTheSum(
      @ForAll @IntRange(max = 100) int first, @ForAll @IntRange(max = 100) int second) {
    try (Buffer buffer = counting();
        Buffer outer = buffer.slice(first, SIZE - first);
        Buffer inner = outer.slice(second, 16)) {
      assertThat(inner.address()).isEqualTo(buffer.address() + first + second);
    }
  }

  private static Buffer counting() {
    Buffer buffer = Buffer.allocate(SIZE);
    for (int i = 0; i < SIZE; i++) {
      buffer.borrow(0, SIZE).put(i, (byte) i);
    }
    return buffer;
  }
}
