package dev.crema.serving.monitoring;

import dev.crema.eval.drift.Bins;
import dev.crema.eval.drift.Drift;
import dev.crema.eval.drift.Reference;
import dev.crema.serving.inference.TensorValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Histograms of what a version is asked and answers, with the bins of its reference, in a window of
 * two halves: one that fills and one that is full. Not thread-safe.
 */
final class VersionDrift {
  /** Fewer examples say too little: chance alone makes one feature of many look changed. */
  static final int FEWEST = 500;

  static final int TOP = 5;
  private static final int MOST_CLASSES = 100;

  final String model;
  final long version;
  private final long half; // nanoseconds
  private final List<Counts> inputs = new ArrayList<>();
  private final List<Counts> outputs = new ArrayList<>();
  private final int width;
  private long began;
  private long examplesNow;
  private long examplesBefore;
  private long examples; // ever
  private long missing; // ever
  private long outOfRange; // ever

  /** Counts of a tensor; those of classes are in the first row. */
  private static final class Counts {
    final Reference.Tensor tensor;
    final Bins[] bins;
    final int[] positions;
    long[][] now;
    long[][] before;

    Counts(Reference.Tensor tensor) {
      this.tensor = tensor;
      int n = tensor.classes() != null ? 1 : tensor.features().size();
      bins = tensor.features().stream().map(Reference.Feature::bins).toArray(Bins[]::new);
      positions = tensor.features().stream().mapToInt(Reference.Feature::position).toArray();
      now = new long[n][];
      before = new long[n][];
      for (int i = 0; i < n; i++) {
        int size = tensor.classes() != null ? tensor.classes().counts().length : bins[i].count();
        now[i] = new long[size];
        before[i] = new long[size];
      }
    }

    long[] both(int i) {
      long[] sum = now[i].clone();
      for (int b = 0; b < sum.length; b++) {
        sum[b] += before[i][b];
      }
      return sum;
    }

    void turn() {
      long[][] old = before;
      before = now;
      now = old;
      for (long[] counts : now) {
        Arrays.fill(counts, 0);
      }
    }
  }

  VersionDrift(String model, long version, Reference reference, long windowNanos, long nanoTime) {
    this.model = model;
    this.version = version;
    this.half = Math.max(1, windowNanos / 2);
    this.began = nanoTime;
    reference.inputs().forEach(t -> inputs.add(new Counts(t)));
    reference.outputs().forEach(t -> outputs.add(new Counts(t)));
    this.width = inputs.stream().mapToInt(c -> c.positions.length).sum();
  }

  /** Values to be looked at of an example. */
  int width() {
    return Math.max(1, width);
  }

  /** Takes in the first examples of an answered request. */
  void add(
      Map<String, TensorValue> asked, Map<String, TensorValue> answered, int most, long nanoTime) {
    turn(nanoTime);
    int rows = 0;
    for (Counts counts : inputs) {
      rows = Math.max(rows, add(counts, asked.get(counts.tensor.name()), most, true));
    }
    for (Counts counts : outputs) {
      add(counts, answered.get(counts.tensor.name()), most, false);
    }
    examplesNow += rows;
    examples += rows;
  }

  private int add(Counts counts, TensorValue tensor, int most, boolean input) {
    Values values = Values.of(tensor);
    if (values == null || values.width() != counts.tensor.width()) {
      return 0; // not wanted by the client, or of a type that is not looked into
    }
    int rows = Math.min(most, values.rows());
    for (int row = 0; row < rows; row++) {
      if (counts.tensor.classes() != null) {
        counts.now[0][values.tell(row, counts.tensor.classes().threshold())]++;
        continue;
      }
      for (int i = 0; i < counts.positions.length; i++) {
        Bins bins = counts.bins[i];
        int bin = bins.of(values.at(row, counts.positions[i]));
        counts.now[i][bin]++;
        if (input && bin == bins.missing()) {
          missing++;
        } else if (input && (bin == 0 || bin == bins.above())) {
          outOfRange++;
        }
      }
    }
    return rows;
  }

  /** Ends the filling half if its time is over; forgets both after a time without requests. */
  private void turn(long nanoTime) {
    long passed = nanoTime - began;
    if (passed < half) {
      return;
    }
    boolean stale = passed >= 2 * half;
    for (int i = 0; i < (stale ? 2 : 1); i++) {
      inputs.forEach(Counts::turn);
      outputs.forEach(Counts::turn);
      examplesBefore = examplesNow;
      examplesNow = 0;
    }
    began = stale ? nanoTime : began + half;
  }

  long examples() {
    return examples;
  }

  long missing() {
    return missing;
  }

  long outOfRange() {
    return outOfRange;
  }

  DriftReport report(long nanoTime) {
    turn(nanoTime);
    long seen = examplesNow + examplesBefore;
    boolean enough = seen >= FEWEST;
    List<DriftReport.Feature> features = new ArrayList<>();
    for (Counts counts : inputs) {
      for (int i = 0; i < counts.bins.length; i++) {
        features.add(feature(counts.tensor.features().get(i), counts.both(i), enough));
      }
    }
    int compared = features.size();
    features.sort(Comparator.comparingDouble(DriftReport.Feature::index).reversed());
    int drifted = (int) features.stream().filter(f -> f.index() > DriftReport.GREAT).count();
    double divergence =
        features.stream().mapToDouble(DriftReport.Feature::divergence).max().orElse(Double.NaN);
    return new DriftReport(
        model,
        version,
        seen,
        compared,
        drifted,
        features.isEmpty() ? Double.NaN : features.get(0).index(),
        divergence,
        features.subList(0, Math.min(TOP, compared)),
        outputs.stream().map(c -> prediction(c, enough)).toList());
  }

  private static DriftReport.Feature feature(
      Reference.Feature expected, long[] live, boolean enough) {
    long sum = 0;
    for (long count : live) {
      sum += count;
    }
    Bins bins = expected.bins();
    return new DriftReport.Feature(
        expected.name(),
        enough ? Drift.stabilityIndex(expected.counts(), live) : Double.NaN,
        enough ? Drift.jensenShannon(expected.counts(), live) : Double.NaN,
        (double) live[bins.missing()] / sum,
        (double) (live[0] + live[bins.above()]) / sum);
  }

  private static DriftReport.Prediction prediction(Counts counts, boolean enough) {
    String name = counts.tensor.name();
    if (counts.tensor.classes() != null) {
      Reference.Classes classes = counts.tensor.classes();
      long[] live = counts.both(0);
      return new DriftReport.Prediction(
          name,
          enough ? Drift.stabilityIndex(classes.counts(), live) : Double.NaN,
          enough ? Drift.jensenShannon(classes.counts(), live) : Double.NaN,
          shares(classes, live));
    }
    double index = Double.NaN;
    double divergence = Double.NaN;
    for (int i = 0; enough && i < counts.bins.length; i++) {
      long[] expected = counts.tensor.features().get(i).counts();
      index = greater(index, Drift.stabilityIndex(expected, counts.both(i)));
      divergence = greater(divergence, Drift.jensenShannon(expected, counts.both(i)));
    }
    return new DriftReport.Prediction(name, index, divergence, List.of());
  }

  private static double greater(double a, double b) {
    return Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b);
  }

  private static List<DriftReport.Share> shares(Reference.Classes classes, long[] live) {
    double sum = Arrays.stream(live).sum();
    double expected = Arrays.stream(classes.counts()).sum();
    List<DriftReport.Share> shares = new ArrayList<>();
    for (int i = 0; i < Math.min(MOST_CLASSES, live.length); i++) {
      shares.add(
          new DriftReport.Share(
              classes.names().get(i), live[i] / sum, classes.counts()[i] / expected));
    }
    return shares;
  }
}
