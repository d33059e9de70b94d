package dev.crema.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When memory is given back: with threads, views and the garbage collector. */
class BufferLifetimeTest {
  private static final int ROUNDS = 2_000;

  /** Waits for what the collector brings about; false if it does not come. */
  private static boolean collected(BooleanSupplier condition) {
    for (int i = 0; i < 12 && !condition.getAsBoolean(); i++) {
      System.gc();
      LockSupport.parkNanos(1_000_000L << i);
    }
    return condition.getAsBoolean();
  }

  @Test
  void twoThreadsMayCloseOneBuffer() throws Exception {
    long before = Buffer.allocatedBytes();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        Buffer buffer = Buffer.allocate(64);
        CountDownLatch go = new CountDownLatch(2);
        Runnable close =
            () -> {
              go.countDown();
              awaitQuietly(go);
              buffer.close();
            };
        Future<?> one = threads.submit(close);
        Future<?> two = threads.submit(close);
        one.get();
        two.get();
      }
    } finally {
      threads.shutdown();
    }
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }

  @Test
  void closingDuringUseByAnotherThreadWaitsForItsLease() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        Buffer buffer = Buffer.allocate(4096);
        CountDownLatch go = new CountDownLatch(2);
        Future<Boolean> user =
            threads.submit(
                () -> {
                  go.countDown();
                  awaitQuietly(go);
                  try {
                    buffer.retain();
                  } catch (IllegalStateException closedBefore) {
                    return false;
                  }
                  ByteBuffer view = buffer.isClosed() ? null : viewOrNull(buffer);
                  if (view != null) {
                    view.putLong(4088, 1);
                  }
                  buffer.release();
                  return true;
                });
        Future<?> closer =
            threads.submit(
                () -> {
                  go.countDown();
                  awaitQuietly(go);
                  buffer.close();
                });
        closer.get();
        assertThat(user.get()).isIn(true, false);
        assertThat(buffer.isClosed()).isTrue();
      }
    } finally {
      threads.shutdown();
    }
  }

  private static ByteBuffer viewOrNull(Buffer buffer) {
    try {
      return buffer.borrow(0, 4096);
    } catch (IllegalStateException closedMeanwhile) {
      return null;
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What a user may keep of a view. */
  private enum Kept {
    VIEW,
    DUPLICATE,
    SLICE,
    FLOATS,
    READ_ONLY,
    SLICE_OF_READ_ONLY;

    Object of(ByteBuffer view) {
      return switch (this) {
        case VIEW -> view;
        case DUPLICATE -> view.duplicate();
        case SLICE -> view.slice(1, 8).duplicate();
        case FLOATS -> view.asFloatBuffer().slice();
        case READ_ONLY -> view.asReadOnlyBuffer();
        case SLICE_OF_READ_ONLY -> view.asReadOnlyBuffer().slice(4, 4).duplicate();
      };
    }
  }

  @ParameterizedTest
  @EnumSource(Kept.class)
  void memoryStaysWhileAViewCanBeReachedAndGoesAfterwards(Kept kept) {
    long before = Buffer.allocatedBytes();
    Object[] reference = new Object[1];
    try (Buffer buffer = Buffer.allocate(1 << 16)) {
      reference[0] = kept.of(buffer.bytes());
    }
    WeakReference<Object> garbage = new WeakReference<>(new Object());
    assertThat(collected(() -> garbage.get() == null)).isTrue();
    assertThat(Buffer.allocatedBytes() - before).isEqualTo(1 << 16);
    assertThat(firstByte(reference[0])).isZero();
    reference[0] = null;
    assertThat(collected(() -> Buffer.allocatedBytes() == before)).isTrue();
  }

  private static double firstByte(Object view) {
    return view instanceof FloatBuffer ? ((FloatBuffer) view).get(0) : ((ByteBuffer) view).get(0);
  }

  @Test
  void withoutAViewCloseGivesTheMemoryBackAtOnce() {
    long before = Buffer.allocatedBytes();
    Buffer buffer = Buffer.allocate(1 << 16);
    buffer.borrow(0, 16).put(0, (byte) 1);
    buffer.close();
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }

  @Test
  void aRequestThatFitsOnlyOnceDeadViewsAreCollectedIsServed() {
    Buffer old = Buffer.allocate(1 << 20);
    old.bytes().put(0, (byte) 1);
    long limit = Buffer.allocatedBytes() + 1000;
    old.close();
    System.setProperty("crema.maxBytes", Long.toString(limit));
    try (Buffer fits = Buffer.allocate(1 << 20)) {
      assertThat(fits.byteSize()).isEqualTo(1 << 20);
    } finally {
      System.clearProperty("crema.maxBytes");
    }
  }

  @Test
  void leaksAreReportedWithTheirOrigin() {
    Assumptions.assumeTrue(Leaks.isRecording(), "Skipped: runs without -ea and crema.leaks");
    try (Buffer buffer = Buffer.allocate(777, "Forgotten")) {
      assertThat(Leaks.held())
          .anySatisfy(
              text ->
                  assertThat(text)
                      .startsWith("Forgotten of 777 bytes, allocated")
                      .contains("BufferLifetimeTest.leaksAreReportedWithTheirOrigin"));
      assertThat(buffer.isClosed()).isFalse();
    }
    assertThat(Leaks.held()).noneMatch(text -> text.startsWith("Forgotten"));
  }
}
