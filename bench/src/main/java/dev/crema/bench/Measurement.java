package dev.crema.bench;

import java.util.List;

/**
 * What one JVM measured of one work in one engine.
 *
 * @param nanos of one run, one number a turn
 * @param heapBytes allocated on the Java heap by one run; NaN: not measured
 * @param limitNanos what the machine's limit, measured just before each turn, would allow; empty or
 *     zeros: there is none
 * @param limit in words; empty: there is none
 * @param arithmetic whether it is arithmetic that limits, not memory
 * @param version of the engine
 */
record Measurement(
    String work,
    String engine,
    int threads,
    List<Double> nanos,
    double heapBytes,
    List<Double> limitNanos,
    String limit,
    boolean arithmetic,
    String version) {
  double median() {
    return Medians.of(nanos);
  }

  boolean hasLimit() {
    return !limitNanos.isEmpty() && limitNanos.get(0) > 0;
  }
}
