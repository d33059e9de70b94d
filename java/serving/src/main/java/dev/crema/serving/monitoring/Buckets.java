package dev.crema.serving.monitoring;

import java.time.Duration;
import java.util.stream.LongStream;

/** Bounds of histograms. */
final class Buckets {
  /** From 10 µs, a prediction in the same process, to 10 s, a client that has given up. */
  private static final long[] MICROS = {
    10,
    25,
    50,
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000
  };

  private static final int LARGEST_BATCH = 1024;

  private Buckets() {}

  static Duration[] latencies() {
    return LongStream.of(MICROS)
        .mapToObj(micros -> Duration.ofNanos(1_000 * micros))
        .toArray(Duration[]::new);
  }

  /** Powers of two. */
  static double[] batches() {
    return LongStream.iterate(1, size -> size <= LARGEST_BATCH, size -> 2 * size)
        .asDoubleStream()
        .toArray();
  }
}
