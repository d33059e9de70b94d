package dev.crema.train;

import java.util.LinkedHashMap;
import java.util.Map;

/** Loss and accuracy over an epoch, weighted by examples. */
final class Totals {
  private final double[] shown;
  private double loss;
  private double correct;
  private long examples;

  Totals(boolean accuracy) {
    shown = new double[accuracy ? 2 : 1];
  }

  String[] names() {
    return shown.length == 2 ? new String[] {"loss", "accuracy"} : new String[] {"loss"};
  }

  void reset() {
    loss = 0;
    correct = 0;
    examples = 0;
  }

  void add(float meanLoss, double right, int rows) {
    loss += (double) meanLoss * rows;
    correct += right;
    examples += rows;
    shown[0] = loss / examples;
    if (shown.length == 2) {
      shown[1] = correct / examples;
    }
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
    metrics.put("loss", loss / examples);
    if (shown.length == 2) {
      metrics.put("accuracy", correct / examples);
    }
    return metrics;
  }
}
