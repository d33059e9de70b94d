package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.eval.ClassScores;
import dev.crema.eval.ClassificationReport;
import dev.crema.eval.RegressionReport;
import dev.crema.text.Signed;
import dev.crema.train.Evaluation;
import java.util.Locale;

/** The number of an evaluation whose fall a {@link Compression} bounds. More is better. */
public enum Quality {
  /** The usual one of classes; of yes-or-no labels the share of them all. */
  ACCURACY("accuracy"),

  /**
   * The mean of the classes' recalls: each class counts as much, however rare it is. What always
   * says the same of k classes has 1/k of it.
   */
  BALANCED_ACCURACY("balanced accuracy"),

  /** The mean of the classes' or labels' F1. */
  MACRO_F1("macro F1"),

  /** Of a regression: the share of its targets' variance that it explains, mean of its outputs. */
  R2("R²");

  private final String title;

  Quality(String title) {
    this.title = title;
  }

  /**
   * The one that is asked for, or that fits a model's task.
   *
   * @param asked null: the usual one
   * @throws CremaException if it is not defined for the task, or on those examples
   */
  static Quality of(Evaluation original, Quality asked) {
    if (!original.outputs().isEmpty()) {
      throw new CremaException(
          "A compression is judged by one accuracy, but the model has the outputs "
              + original.outputs().keySet()
              + ". Compress such a model with Pruner and Quantizer, and compare with Comparison.");
    }
    Quality usual = original.regression() != null ? R2 : ACCURACY;
    Quality quality = asked == null ? usual : asked;
    if (!quality.isOf(original)) {
      throw new CremaException(
          "A compression of this model cannot be judged by "
              + quality
              + ", which is for "
              + quality.tasks()
              + ". Choose another, such as "
              + usual
              + ".");
    }
    if (quality == R2 && original.regression().outputs().stream().anyMatch(Quality::isConstant)) {
      throw new CremaException(
          "A compression cannot be judged by R² where all targets of an output are the same, as"
              + " they are on the "
              + original.examples()
              + " examples to judge by. Give it other examples.");
    }
    if (!Double.isFinite(quality.in(original)) || !Double.isFinite(original.loss())) {
      throw new CremaException(
          "A compression cannot be judged: on the "
              + original.examples()
              + " examples to judge by, the model's "
              + quality
              + " is "
              + quality.in(original)
              + " and its loss "
              + original.loss()
              + ". Look for NaN in data and parameters.");
    }
    return quality;
  }

  private boolean isOf(Evaluation evaluation) {
    return switch (this) {
      case R2 -> evaluation.regression() != null;
      case BALANCED_ACCURACY -> evaluation.classification() != null;
      case ACCURACY, MACRO_F1 -> evaluation.regression() == null;
    };
  }

  private String tasks() {
    return switch (this) {
      case R2 -> "regressions";
      case BALANCED_ACCURACY -> "one class of several";
      case ACCURACY, MACRO_F1 -> "classes and labels";
    };
  }

  /** R² is then 0 whatever is predicted. */
  private static boolean isConstant(RegressionReport.Output output) {
    return output.r2() == 0 && output.mse() > 0;
  }

  double in(Evaluation evaluation) {
    ClassificationReport classes = evaluation.classification();
    return switch (this) {
      case R2 -> evaluation.regression().r2();
      case ACCURACY ->
          classes != null ? classes.accuracy() : evaluation.multiLabel().labelAccuracy();
      case MACRO_F1 -> (classes != null ? classes.macro() : evaluation.multiLabel().macro()).f1();
      case BALANCED_ACCURACY ->
          classes.classes().stream()
              .filter(c -> c.support() > 0)
              .mapToDouble(ClassScores::recall)
              .average()
              .orElse(Double.NaN);
    };
  }

  /** A value as people read it. */
  String text(double value) {
    return this == R2 ? format("%.4f", value) : format("%.2f %%", 100 * value);
  }

  /** A difference as people read it. */
  String change(double by) {
    return this == R2 ? Signed.of(by, 4) : Signed.of(100 * by, 2) + " points";
  }

  /** How much it fell, without a sign. */
  String fall(double by) {
    return this == R2 ? format("%.4f", by) : format("%.2f points", 100 * by);
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }

  @Override
  public String toString() {
    return title;
  }
}
