package dev.crema.bench;

import java.util.Collection;

/** Order statistics. */
final class Medians {
  private Medians() {}

  static double of(Collection<Double> values) {
    if (values.isEmpty()) {
      throw new IllegalArgumentException("No values have no median");
    }
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** What a quarter of the values is below or equal to. */
  static double lowerQuartile(Collection<Double> values) {
    return quartile(values, 1);
  }

  /** What a quarter of the values is above or equal to. */
  static double upperQuartile(Collection<Double> values) {
    return quartile(values, 3);
  }

  private static double quartile(Collection<Double> values, int quarters) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return sorted[(int) Math.round((sorted.length - 1) * quarters / 4.0)];
  }
}
