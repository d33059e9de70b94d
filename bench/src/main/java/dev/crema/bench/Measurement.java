package dev.crema.bench;

import java.util.List;

/**
 * What one JVM measured of one work in one engine.
 *
 * @param nanos of one run, one number an iteration
 * @param heapBytes allocated on the Java heap by one run; NaN: not measured
 * @param limitNanos what the machine's limit, measured just before and after, would allow
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
    double limitNanos,
    String limit,
    boolean arithmetic,
    String version) {
  double median() {
    return Medians.of(nanos);
  }
}
