package dev.crema.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Losses and accuracies over an epoch, weighted by examples. Adding to them allocates nothing. */
final class Totals {
  private final String[] names;
  private final double[] sums;
  private final double[] shown;
  private long examples;
  private int next;

  Totals(List<HeadResult> outputs) {
    List<String> all = new ArrayList<>(List.of(MetricNames.LOSS));
    boolean several = outputs.size() > 1;
    for (HeadResult output : outputs) {
      String name = output.head().output();
      if (several) {
        all.add(MetricNames.of(name, MetricNames.LOSS));
      }
      if (output.hasAccuracy()) {
        all.add(several ? MetricNames.of(name, MetricNames.ACCURACY) : MetricNames.ACCURACY);
      }
    }
    names = all.toArray(new String[0]);
    sums = new double[names.length];
    shown = new double[names.length];
  }

  String[] names() {
    return names;
  }

  void reset() {
    Arrays.fill(sums, 0);
    examples = 0;
  }

  /** Takes in a batch. */
  void add(float meanLoss, List<HeadResult> outputs, int rows) {
    examples += rows;
    next = 0;
    put((double) meanLoss * rows);
    for (int i = 0; i < outputs.size(); i++) {
      HeadResult output = outputs.get(i);
      if (outputs.size() > 1) {
        put((double) output.loss() * rows);
      }
      if (output.hasAccuracy()) {
        put(output.correct(rows));
      }
    }
  }

  private void put(double sum) {
    sums[next] += sum;
    shown[next] = sums[next] / examples;
    next++;
  }

  long examples() {
    return examples;
  }

  /** The means so far, in the order of {@link #names}; the same array every time. */
  double[] shown() {
    return shown;
  }

  Map<String, Double> metrics() {
    Map<String, Double> metrics = new LinkedHashMap<>();
    for (int i = 0; i < names.length; i++) {
      metrics.put(names[i], sums[i] / examples);
    }
    return metrics;
  }
}
