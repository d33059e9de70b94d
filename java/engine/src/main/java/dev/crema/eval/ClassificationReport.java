package dev.crema.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.text.Table;
import dev.crema.text.TerminalText;
import java.util.List;
import java.util.Locale;

/**
 * What {@link ClassificationMetrics} found. Immutable. Without a row every mean is NaN.
 *
 * @param rows examples, those whose prediction was NaN too
 * @param nanRows examples whose prediction was NaN: they count as wrong in accuracy, top-k accuracy
 *     and recall, and have no part in log loss, ROC AUC and calibration
 * @param accuracy share of examples whose class has the highest score (the first of equal ones)
 * @param topK how many classes may be guessed in {@code topKAccuracy}; at most the number of
 *     classes
 * @param topKAccuracy share of examples whose class is among the k highest scores
 * @param classes one entry a class
 * @param macro mean over the classes that occur as label or prediction
 * @param micro from counts summed over classes; equals the accuracy if no prediction is NaN
 * @param weighted mean over classes weighted by support
 * @param rocAuc with two classes that of the second one; with more the mean over the classes for
 *     which it is defined, each against the rest; NaN if there are none
 * @param logLoss mean of −ln p(label)
 * @param calibration reliability of the predicted class's probability
 * @param confusion actual by predicted classes
 * @param warnings what a reader must know to trust the figures
 */
public record ClassificationReport(
    long rows,
    long nanRows,
    double accuracy,
    int topK,
    double topKAccuracy,
    List<ClassScores> classes,
    AverageScores macro,
    AverageScores micro,
    AverageScores weighted,
    double rocAuc,
    double logLoss,
    Calibration calibration,
    ConfusionMatrix confusion,
    List<String> warnings) {
  private static final int MAX_NAME = 24;

  public ClassificationReport {
    classes = List.copyOf(classes);
    warnings = List.copyOf(warnings);
  }

  /** Every component under its name; numbers that are not defined are null. */
  public ObjectNode toJson() {
    ObjectNode json = Json.object().put("rows", rows).put("nanRows", nanRows);
    Json.put(json, "accuracy", accuracy);
    json.put("topK", topK);
    Json.put(json, "topKAccuracy", topKAccuracy);
    Json.put(json, "macro", macro);
    Json.put(json, "micro", micro);
    Json.put(json, "weighted", weighted);
    Json.put(json, "rocAuc", rocAuc);
    Json.put(json, "logLoss", logLoss);
    Json.put(json, "expectedCalibrationError", calibration.expectedError());
    Json.put(json, "classes", classes);
    json.set("calibration", calibration.toJson());
    json.set("confusionMatrix", confusion.toJson());
    Json.putWarnings(json, warnings);
    return json;
  }

  @Override
  public String toString() {
    Table table = table(classes);
    table.rule();
    table.row("accuracy", null, null, accuracy, rows);
    average(table, "micro average", micro, rows);
    average(table, "macro average", macro, rows);
    average(table, "weighted average", weighted, rows);
    var out = new StringBuilder(table.toString()).append('\n');
    if (topK > 1) {
      line(out, "top-" + topK + " accuracy", topKAccuracy);
    }
    line(out, "log loss", logLoss);
    line(out, classes.size() == 2 ? "ROC AUC" : "ROC AUC (one vs rest)", rocAuc);
    line(out, "calibration error", calibration.expectedError());
    out.append('\n').append(confusion);
    warnings.forEach(w -> out.append("\nWarning: ").append(w).append('\n'));
    return out.toString();
  }

  static Table table(List<ClassScores> classes) {
    Table table =
        Table.of("class", "precision", "recall", "F1", "support", "ROC AUC")
            .style(Table.Style.PLAIN);
    for (int column = 1; column <= 5; column++) {
      table.align(column, Table.Align.RIGHT);
    }
    for (ClassScores c : classes) {
      Object auc = Double.isNaN(c.rocAuc()) ? "-" : (Object) c.rocAuc();
      String name = TerminalText.cut(c.name(), MAX_NAME);
      table.row(name, c.precision(), c.recall(), c.f1(), c.support(), auc);
    }
    return table;
  }

  static void average(Table table, String name, AverageScores scores, long support) {
    table.row(name, scores.precision(), scores.recall(), scores.f1(), support);
  }

  static void line(StringBuilder out, String name, double value) {
    String number = Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.4f", value);
    out.append(String.format(Locale.ROOT, "%-22s %s%n", name, number).replace("\r", ""));
  }
}
