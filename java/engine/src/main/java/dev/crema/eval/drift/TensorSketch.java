package dev.crema.eval.drift;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Learns the bins of a tensor's elements and counts what falls into them, in two passes over the
 * same examples: {@link #look} at all, then {@link #count} all. Memory is bounded whatever the
 * number of examples: bounds come from a uniform sample of them (Vitter 1985, algorithm R), least
 * and greatest values from all. For one thread.
 */
public final class TensorSketch {
  /** A tensor of up to so many elements has a histogram of each. */
  public static final int MOST_FEATURES = 128;

  /**
   * Of a larger tensor so many, evenly spaced: single pixels say little, and a model's file should
   * not be mostly histograms.
   */
  public static final int OF_LARGER = 48;

  private static final int SAMPLE = 4096;
  private static final int BINS = 10;

  private final String name;
  private final int width;
  private final int[] positions;
  private final float[][] sample;
  private final float[] least;
  private final float[] greatest;
  private final SplittableRandom random;
  private long seen;
  private Bins[] bins; // null until all were looked at
  private long[][] counts;

  /**
   * @param width elements of an example
   */
  public TensorSketch(String name, int width, long seed) {
    this.name = name;
    this.width = width;
    int n = width <= MOST_FEATURES ? width : OF_LARGER;
    this.positions = new int[n];
    for (int i = 0; i < n; i++) {
      positions[i] = (int) ((long) i * width / n);
    }
    this.sample = new float[n][0];
    this.least = new float[n];
    this.greatest = new float[n];
    Arrays.fill(least, Float.POSITIVE_INFINITY);
    Arrays.fill(greatest, Float.NEGATIVE_INFINITY);
    this.random = new SplittableRandom(seed);
  }

  /** A row of values, however they are stored. */
  @FunctionalInterface
  public interface Row {
    float at(int position);
  }

  /** Takes in an example, the first time. */
  public void look(Row row) {
    long place = seen < SAMPLE ? seen : random.nextLong(seen + 1);
    for (int i = 0; i < positions.length; i++) {
      float value = row.at(positions[i]);
      if (Float.isFinite(value)) {
        least[i] = Math.min(least[i], value);
        greatest[i] = Math.max(greatest[i], value);
      }
      if (place < SAMPLE) {
        if (place >= sample[i].length) {
          int more = (int) Math.min(SAMPLE, Math.max(64, 2L * sample[i].length));
          sample[i] = Arrays.copyOf(sample[i], more);
        }
        sample[i][(int) place] = value;
      }
    }
    seen++;
  }

  /** Takes in an example, the second time. */
  public void count(Row row) {
    if (bins == null) {
      learn();
    }
    for (int i = 0; i < positions.length; i++) {
      counts[i][bins[i].of(row.at(positions[i]))]++;
    }
  }

  private void learn() {
    bins = new Bins[positions.length];
    counts = new long[positions.length][];
    for (int i = 0; i < bins.length; i++) {
      bins[i] = bins(i);
      counts[i] = new long[bins[i].count()];
      sample[i] = null; // no longer needed
    }
  }

  private Bins bins(int i) {
    float[] values = Arrays.copyOf(sample[i], (int) Math.min(seen, SAMPLE));
    int n = 0;
    for (float value : values) {
      if (Float.isFinite(value)) {
        values[n++] = value;
      }
    }
    if (n == 0) {
      return new Bins(0, 0); // nothing but missing values
    }
    float[] finite = Arrays.copyOf(values, n);
    Arrays.sort(finite);
    return Bins.quantiles(finite, least[i], greatest[i], BINS);
  }

  /**
   * What was counted.
   *
   * @param names of the elements of an example; null if they have none
   */
  public Reference.Tensor result(List<String> names) {
    if (bins == null) {
      learn();
    }
    List<Reference.Feature> features = new ArrayList<>();
    for (int i = 0; i < positions.length; i++) {
      int at = positions[i];
      String feature = names == null ? name + "[" + at + "]" : names.get(at);
      features.add(new Reference.Feature(feature, at, bins[i], counts[i]));
    }
    return new Reference.Tensor(name, width, features, null);
  }
}
