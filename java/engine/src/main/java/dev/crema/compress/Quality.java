package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.eval.RegressionReport;
import dev.crema.train.Evaluation;
import java.util.Locale;

/** The number of an evaluation whose fall a {@link Compression} bounds. More is better. */
enum Quality {
  /** Of classes; of yes-or-no labels the share of them all. */
  ACCURACY("accuracy"),

  /** Of a regression: the share of its targets' variance that it explains, mean of its outputs. */
  R2("R²");

  private final String title;

  Quality(String title) {
    this.title = title;
  }

  /**
   * The one that fits a model's task.
   *
   * @throws CremaException if it is not defined on those examples
   */
  static Quality of(Evaluation original) {
    if (!original.outputs().isEmpty()) {
      throw new CremaException(
          "A compression is judged by one accuracy, but the model has the outputs "
              + original.outputs().keySet()
              + ". Compress such a model with Pruner and Quantizer, and compare with Comparison.");
    }
    Quality quality = original.regression() != null ? R2 : ACCURACY;
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

  /** R² is then 0 whatever is predicted. */
  private static boolean isConstant(RegressionReport.Output output) {
    return output.r2() == 0 && output.mse() > 0;
  }

  double in(Evaluation evaluation) {
    if (this == R2) {
      return evaluation.regression().r2();
    }
    return evaluation.classification() != null
        ? evaluation.classification().accuracy()
        : evaluation.multiLabel().labelAccuracy();
  }

  /** A value as people read it. */
  String text(double value) {
    return this == R2 ? format("%.4f", value) : format("%.2f %%", 100 * value);
  }

  /** A difference as people read it. */
  String change(double by) {
    return this == R2 ? format("%+.4f", by) : format("%+.2f points", 100 * by);
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
