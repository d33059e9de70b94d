package dev.crema.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * Whether a model's confidence can be believed (Guo et al. 2017): predictions are sorted into bins
 * of equal width by confidence, and in each the mean confidence stands beside the share that was
 * right.
 *
 * @param bins the reliability diagram, from confidence 0 to 1
 */
public record Calibration(List<Bin> bins) {
  /** Bins of a reliability diagram in Guo et al. 2017. */
  public static final int BINS = 15;

  /**
   * One bar of a reliability diagram.
   *
   * @param lower confidence above which predictions fall in this bin (the first bin holds 0 too)
   * @param upper highest confidence of this bin
   * @param count predictions in the bin
   * @param confidence their mean confidence; NaN if there are none
   * @param accuracy the share of them that is right; NaN if there are none
   */
  public record Bin(double lower, double upper, long count, double confidence, double accuracy) {}

  public Calibration {
    bins = List.copyOf(bins);
  }

  /** Predictions in all bins. */
  public long count() {
    return bins.stream().mapToLong(Bin::count).sum();
  }

  /** Mean gap between confidence and accuracy, weighted by predictions; NaN without any. */
  public double expectedError() {
    double sum = 0;
    for (Bin bin : bins) {
      if (bin.count() > 0) {
        sum += bin.count() * Math.abs(bin.accuracy() - bin.confidence());
      }
    }
    return sum / count();
  }

  /** Widest gap of a bin; NaN without any prediction. */
  public double maximumError() {
    return bins.stream()
        .filter(bin -> bin.count() > 0)
        .mapToDouble(bin -> Math.abs(bin.accuracy() - bin.confidence()))
        .max()
        .orElse(Double.NaN);
  }

  /** {@code expectedError}, {@code maximumError} and {@code bins}. */
  public ObjectNode toJson() {
    ObjectNode json = Json.object();
    Json.put(json, "expectedError", expectedError());
    Json.put(json, "maximumError", maximumError());
    var array = json.putArray("bins");
    for (Bin bin : bins) {
      ObjectNode child = array.addObject();
      Json.put(child, "lower", bin.lower());
      Json.put(child, "upper", bin.upper());
      child.put("count", bin.count());
      Json.put(child, "confidence", bin.confidence());
      Json.put(child, "accuracy", bin.accuracy());
    }
    return json;
  }
}
