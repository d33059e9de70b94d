package dev.crema.eval;

import java.util.ArrayList;
import java.util.List;

/** Accumulates a {@link Calibration}. */
final class CalibrationCounts {
  private final long[] counts = new long[Calibration.BINS];
  private final long[] right = new long[Calibration.BINS];
  private final double[] confidences = new double[Calibration.BINS];

  /** Adds a prediction with a confidence of 0 to 1. */
  void add(double confidence, boolean correct) {
    // A bin is open below and closed above: (0, 1/15], (1/15, 2/15], …
    int bin = (int) Math.ceil(confidence * Calibration.BINS) - 1;
    bin = Math.max(0, Math.min(Calibration.BINS - 1, bin));
    counts[bin]++;
    confidences[bin] += confidence;
    right[bin] += correct ? 1 : 0;
  }

  void merge(CalibrationCounts other) {
    for (int b = 0; b < counts.length; b++) {
      counts[b] += other.counts[b];
      right[b] += other.right[b];
      confidences[b] += other.confidences[b];
    }
  }

  Calibration result() {
    List<Calibration.Bin> bins = new ArrayList<>();
    double width = 1.0 / Calibration.BINS;
    for (int b = 0; b < counts.length; b++) {
      bins.add(
          new Calibration.Bin(
              b * width,
              (b + 1) * width,
              counts[b],
              confidences[b] / counts[b],
              (double) right[b] / counts[b]));
    }
    return new Calibration(bins);
  }
}
