package dev.crema.serving.execution;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * How the requests for a model are put together.
 *
 * @param maximumBatch most examples that are computed together; bigger requests are split
 * @param maximumDelay how long a request may wait for others while the model is busy; zero: batches
 *     form only of what came while all processors were. Nothing waits while the server is idle
 * @param preferredSizes of batches, if enough examples wait; empty: as many as there are
 * @param queueCapacity most examples that wait; what comes then is refused
 * @param threads that compute one batch; 0 for all of the processor's
 */
public record BatchSettings(
    int maximumBatch,
    Duration maximumDelay,
    List<Integer> preferredSizes,
    int queueCapacity,
    int threads) {
  public static final BatchSettings DEFAULT =
      new BatchSettings(64, Duration.ZERO, List.of(), 4096, 1);

  /**
   * @throws IllegalArgumentException if a number is out of its range
   */
  public BatchSettings {
    Objects.requireNonNull(maximumDelay, "maximumDelay");
    preferredSizes = preferredSizes.stream().distinct().sorted().toList();
    require(maximumBatch >= 1, "maximumBatch is at least 1, got " + maximumBatch);
    require(!maximumDelay.isNegative(), "maximumDelay is not negative, got " + maximumDelay);
    require(queueCapacity >= 0, "queueCapacity is not negative, got " + queueCapacity);
    require(threads >= 0, "threads is not negative, got " + threads);
    for (int size : preferredSizes) {
      require(
          size >= 1 && size <= maximumBatch,
          "preferredSizes are from 1 to maximumBatch " + maximumBatch + ", got " + size);
    }
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }

  public BatchSettings withMaximumBatch(int most) {
    return new BatchSettings(
        most,
        maximumDelay,
        preferredSizes.stream().filter(s -> s <= most).toList(),
        queueCapacity,
        threads);
  }

  public BatchSettings withMaximumDelay(Duration delay) {
    return new BatchSettings(maximumBatch, delay, preferredSizes, queueCapacity, threads);
  }

  public BatchSettings withPreferredSizes(List<Integer> sizes) {
    return new BatchSettings(maximumBatch, maximumDelay, sizes, queueCapacity, threads);
  }

  public BatchSettings withQueueCapacity(int examples) {
    return new BatchSettings(maximumBatch, maximumDelay, preferredSizes, examples, threads);
  }

  public BatchSettings withThreads(int count) {
    return new BatchSettings(maximumBatch, maximumDelay, preferredSizes, queueCapacity, count);
  }
}
