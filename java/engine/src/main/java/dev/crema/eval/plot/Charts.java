package dev.crema.eval.plot;

import dev.crema.eval.Calibration;
import dev.crema.eval.ConfusionMatrix;
import java.util.List;
import java.util.Locale;

/** The plots that training and evaluation need. */
public final class Charts {
  private static final int SQUARE_WIDTH = 860;
  private static final int SQUARE_HEIGHT = 760;

  private Charts() {}

  /**
   * Curves over epochs: losses on the left, and if there are any, metrics on the right.
   *
   * @param losses for example training and validation
   * @param metricName of the metrics' panel and axis, such as {@code accuracy}
   * @param metrics in the same order as the losses, to have the same colours; may be empty
   */
  public static Plot trainingCurves(
      String title, List<Series> losses, String metricName, List<Series> metrics) {
    Axes loss = Axes.of("Loss", "epoch", "loss", losses.toArray(Series[]::new));
    if (metrics.isEmpty()) {
      return Plot.of(title, loss);
    }
    String heading = metricName.substring(0, 1).toUpperCase(Locale.ROOT) + metricName.substring(1);
    return Plot.of(
        title, loss, Axes.of(heading, "epoch", metricName, metrics.toArray(Series[]::new)));
  }

  /** Rows are actual classes; a cell's shade is its share of the row, its text the count. */
  public static Plot confusion(String title, ConfusionMatrix matrix) {
    int n = matrix.classes();
    double[][] shares = new double[n][n];
    String[][] texts = new String[n][n];
    for (int a = 0; a < n; a++) {
      double support = matrix.support(a);
      for (int p = 0; p < n; p++) {
        shares[a][p] = matrix.count(a, p) / support;
        texts[a][p] = matrix.count(a, p) == 0 ? "" : Long.toString(matrix.count(a, p));
      }
    }
    List<String> names = matrix.classNames();
    HeatMap map = HeatMap.of("", "predicted", "actual", names, names, shares, texts);
    return Plot.of(title, map).withSize(SQUARE_WIDTH, SQUARE_HEIGHT);
  }

  /** A reliability diagram (Guo et al. 2017) and beside it how confidences are spread. */
  public static Plot reliability(String title, Calibration calibration) {
    int n = calibration.bins().size();
    double[] centres = new double[n];
    double[] accuracies = new double[n];
    double[] shares = new double[n];
    for (int b = 0; b < n; b++) {
      Calibration.Bin bin = calibration.bins().get(b);
      centres[b] = (bin.lower() + bin.upper()) / 2;
      accuracies[b] = bin.accuracy();
      shares[b] = 100.0 * bin.count() / calibration.count();
    }
    double[] diagonal = {0, 1};
    String heading =
        String.format(Locale.ROOT, "Expected calibration error %.4f", calibration.expectedError());
    Axes reliability =
        Axes.of(
                heading,
                "confidence",
                "accuracy",
                Series.bars("accuracy", centres, accuracies, 1.0 / n),
                Series.reference("perfect calibration", diagonal, diagonal))
            .withXRange(0, 1)
            .withYRange(0, 1);
    Axes spread =
        Axes.of(
                "Predictions",
                "confidence",
                "share of predictions (%)",
                Series.bars("", centres, shares, 1.0 / n))
            .withXRange(0, 1);
    return Plot.of(title, reliability, spread);
  }
}
