package dev.crema.bench.gpu;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Times a task: rounds of as many runs as take a while, after warming up. A run ends when its
 * result is there, so nothing is queued behind the clock's back.
 *
 * @param rounds of which the median counts
 * @param seconds that a round takes about
 * @param warmUp seconds before
 */
record CardTimer(int rounds, double seconds, double warmUp) {
  private static final int LEAST_RUNS = 3; // the second of them records the step, the third uses it
  private static final double NANO = 1e-9;

  static CardTimer full() {
    return new CardTimer(7, 0.2, 1);
  }

  static CardTimer tiny() {
    return new CardTimer(3, 0.01, 0);
  }

  /** Seconds a run, round by round. */
  List<Double> measure(CardTask task) {
    long started = System.nanoTime();
    int runs = 0;
    while (runs < LEAST_RUNS || since(started) < warmUp) {
      task.run();
      runs++;
    }
    double one = time(task, 1);
    int count = (int) Math.max(1, Math.min(1e6, seconds / Math.max(1e-7, one)));
    List<Double> times = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      times.add(time(task, count));
    }
    return times;
  }

  private static double time(CardTask task, int count) {
    long started = System.nanoTime();
    for (int i = 0; i < count; i++) {
      task.run();
    }
    return since(started) / count;
  }

  private static double since(long started) {
    return (System.nanoTime() - started) * NANO;
  }

  static double median(List<Double> times) {
    List<Double> sorted = new ArrayList<>(times);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2); // of an odd number of rounds
  }
}
