package dev.crema.eval;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Precision, recall and F1 averaged over classes.
 *
 * @param precision of what was predicted, the share that was right
 * @param recall of what there was, the share that was found
 * @param f1 averaged itself, not computed from the two averages
 */
public record AverageScores(double precision, double recall, double f1) {
  /** The mean over the classes that occur, as labels or as predictions. */
  static AverageScores macro(List<ClassScores> classes) {
    List<ClassScores> present =
        classes.stream().filter(c -> c.support() > 0 || c.predicted() > 0).toList();
    return weighted(present, c -> 1);
  }

  /** The mean weighted by support. */
  static AverageScores weighted(List<ClassScores> classes) {
    return weighted(classes, ClassScores::support);
  }

  /** From counts summed over all classes. */
  static AverageScores micro(long truePositives, long predicted, long support) {
    if (support == 0 && predicted == 0) {
      return new AverageScores(Double.NaN, Double.NaN, Double.NaN);
    }
    return new AverageScores(
        ClassScores.ratio(truePositives, predicted),
        ClassScores.ratio(truePositives, support),
        ClassScores.ratio(2 * truePositives, predicted + support));
  }

  private static AverageScores weighted(
      List<ClassScores> classes, ToDoubleFunction<ClassScores> weight) {
    double total = 0;
    double precision = 0;
    double recall = 0;
    double f1 = 0;
    for (ClassScores c : classes) {
      double w = weight.applyAsDouble(c);
      total += w;
      precision += w * c.precision();
      recall += w * c.recall();
      f1 += w * c.f1();
    }
    // Nothing to average is 0 / 0: NaN.
    return new AverageScores(precision / total, recall / total, f1 / total);
  }
}
