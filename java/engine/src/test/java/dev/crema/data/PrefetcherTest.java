package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PrefetcherTest {
  private static IndexedDataset data(int n) {
    float[] x = new float[3 * n];
    int[] y = new int[n];
    for (int i = 0; i < n; i++) {
      x[3 * i] = i;
      x[3 * i + 2] = -i;
      y[i] = i % 7;
    }
    return Datasets.of(x, Shape.of(3), y, Datasets.numbered(new int[] {6}));
  }

  private static List<List<Float>> epoch(Prefetcher batches, Dataset data, Order order) {
    List<List<Float>> rows = new ArrayList<>();
    batches.start(order);
    for (var batch = batches.next(); batch != null; batch = batches.next()) {
      rows.addAll(Rows.rows(Rows.slots(data), batch.buffers(), batch.rows()));
      batches.recycle(batch);
    }
    return rows;
  }

  @Property(tries = 60)
  void givesWhatTheReaderGivesEpochAfterEpoch(
      @ForAll @IntRange(min = 0, max = 100) int n,
      @ForAll @IntRange(min = 1, max = 12) int batchSize,
      @ForAll @IntRange(min = 2, max = 5) int depth) {
    IndexedDataset data = data(n);
    try (Prefetcher batches = new Prefetcher(data, batchSize, depth)) {
      for (int seed = 0; seed < 4; seed++) {
        Order order = Order.shuffled(seed);
        assertThat(epoch(batches, data, order)).isEqualTo(Rows.all(data, order, batchSize));
      }
    }
  }

  @Test
  @Timeout(60)
  void batchesMayBeHeldAsLongAsTheRingHasRoom() {
    for (int repeat = 0; repeat < 200; repeat++) {
      try (Prefetcher batches = new Prefetcher(data(30), 2, 4)) {
        batches.start(Order.sequential());
        batches.recycle(batches.next());
        var first = batches.next();
        var second = batches.next();
        var third = batches.next();
        var fourth = batches.next();
        assertThat(fourth.buffers().get(0).getFloat(0)).isEqualTo(8f);
        assertThatThrownBy(batches::next).hasMessageContaining("All 4 batches");
        assertThatThrownBy(() -> batches.recycle(second)).hasMessageContaining("in the order");
        List.of(first, second, third, fourth).forEach(batches::recycle);
      }
    }
  }

  @Test
  @Timeout(60)
  void usesTheBuffersThatItIsGivenAndNoOthers() {
    List<ByteBuffer> given = new ArrayList<>();
    Dataset data = data(1000);
    try (Prefetcher batches =
        new Prefetcher(
            data,
            16,
            3,
            bytes -> {
              given.add(ByteBuffer.allocateDirect(bytes + 5));
              return given.get(given.size() - 1);
            })) {
      assertThat(given).hasSize(6);
      batches.start(Order.shuffled(1));
      for (var batch = batches.next(); batch != null; batch = batches.next()) {
        assertThat(batch.buffers()).allMatch(b -> given.stream().anyMatch(g -> g == b));
        batches.recycle(batch);
      }
      assertThat(given).hasSize(6);
    }
  }

  @Test
  @Timeout(60)
  void allocatesNothingForABatch() {
    Dataset data = data(60_000);
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    try (Prefetcher batches = new Prefetcher(data, 10, 3)) {
      Thread producer =
          Thread.getAllStackTraces().keySet().stream()
              .filter(t -> t.getName().equals("crema-prefetch") && t.isAlive())
              .findFirst()
              .orElseThrow();
      long worst = Long.MAX_VALUE;
      for (int epoch = 0; epoch < 3; epoch++) {
        batches.start(Order.sequential());
        run(batches, 2_000);
        long before = threads.getThreadAllocatedBytes(producer.getId());
        run(batches, 2_000);
        worst = Math.min(worst, threads.getThreadAllocatedBytes(producer.getId()) - before);
        run(batches, 2_000);
        assertThat(batches.next()).isNull();
      }
      assertThat(worst).isLessThan(2_000);
    }
  }

  private static void run(Prefetcher batches, int most) {
    for (int i = 0; i < most; i++) {
      var batch = batches.next();
      if (batch == null) {
        throw new AssertionError("the epoch ended early");
      }
      batches.recycle(batch);
    }
  }

  @Test
  @Timeout(60)
  void whatTheReaderThrowsReachesTheConsumer() {
    List<Dataset.Slot> inputs = List.of(Slots.input(Shape.of(1)));
    Iterable<Example> broken =
        () ->
            List.of(
                    Example.unlabelled(new float[1]),
                    Example.unlabelled(new float[1]),
                    Example.unlabelled(new float[2]))
                .iterator();
    Dataset data = Datasets.stream(inputs, null, List.of(), broken);
    try (Prefetcher batches = new Prefetcher(data, 1, 2)) {
      for (int epoch = 0; epoch < 2; epoch++) {
        batches.start(Order.sequential());
        batches.recycle(batches.next());
        batches.recycle(batches.next());
        assertThatThrownBy(batches::next)
            .isInstanceOf(CremaException.class)
            .hasMessageContaining("Example 2");
      }
    }
  }

  @Test
  @Timeout(60)
  void closingInTheMiddleStopsTheThreadAndClosesTheReader() {
    Prefetcher batches = new Prefetcher(data(1_000_000), 1, 2);
    batches.start(Order.sequential());
    batches.next();
    batches.close();
    batches.close();
    assertThatThrownBy(batches::next).hasMessageContaining("closed");
  }

  @Test
  @Timeout(60)
  void closingDoesNotWaitForAReaderThatWaits() {
    CountDownLatch waiting = new CountDownLatch(1);
    Iterable<Example> stuck =
        () ->
            new Iterator<>() {
              @Override
              public boolean hasNext() {
                waiting.countDown();
                try {
                  new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                  throw new CremaException("interrupted", e);
                }
                return true;
              }

              @Override
              public Example next() {
                throw new AssertionError();
              }
            };
    Dataset data = Datasets.stream(List.of(Slots.input(Shape.of(1))), null, List.of(), stuck);
    Prefetcher batches = new Prefetcher(data, 1, 2);
    batches.start(Order.sequential());
    try {
      waiting.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    batches.close();
  }

  /** Each round hits another instant: the reading thread may not even have begun the epoch. */
  @Test
  @Timeout(60)
  void aConsumerThatWaitsIsToldThatAnotherThreadHasClosedIt() throws InterruptedException {
    for (int round = 0; round < 500; round++) {
      Prefetcher batches = new Prefetcher(data(30), 2, 4);
      CountDownLatch begun = new CountDownLatch(1);
      Thread closer =
          new Thread(
              () -> {
                begun.countDown();
                batches.close();
              });
      batches.start(Order.sequential());
      closer.start();
      try {
        begun.await();
        for (var batch = batches.next(); batch != null; batch = batches.next()) {
          batches.recycle(batch);
        }
      } catch (IllegalStateException e) {
        assertThat(e).hasMessage("This prefetcher is closed");
      }
      closer.join();
    }
  }

  @Test
  @Timeout(60)
  void anEpochMustBeStartedAndEnded() {
    try (Prefetcher batches = new Prefetcher(data(3), 2, 2)) {
      assertThatThrownBy(batches::next).hasMessageContaining("start(order)");
      batches.start(Order.sequential());
      assertThatThrownBy(() -> batches.start(Order.sequential()))
          .hasMessageContaining("not at its end");
    }
    assertThatThrownBy(() -> new Prefetcher(data(3), 2, 1)).hasMessageContaining("at least 2");
    assertThatThrownBy(() -> new Prefetcher(data(3), Integer.MAX_VALUE, 2))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("smaller batch size");
  }
}
