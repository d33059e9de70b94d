package dev.crema.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.text.Table;
import java.util.List;

/**
 * What {@link MultiLabelMetrics} found. Immutable. Without a row every mean is NaN.
 *
 * @param rows examples
 * @param nanScores predictions (one a label of a row) that were NaN or infinite: they count as
 *     wrong and not predicted, and have no part in log loss, ROC AUC and calibration
 * @param exactMatch share of rows of which every label is right (subset accuracy)
 * @param labelAccuracy share of predictions that are right (1 − Hamming loss)
 * @param labels one entry a label; its support are the rows that have it
 * @param macro mean over the labels that occur or are predicted
 * @param micro from counts summed over labels
 * @param weighted mean over labels weighted by support
 * @param rocAuc mean over the labels for which it is defined; NaN if there are none
 * @param logLoss mean binary cross-entropy of a prediction
 * @param calibration reliability of the probability that a label is there: in each bin the share of
 *     rows that have it
 * @param warnings what a reader must know to trust the figures
 */
public record MultiLabelReport(
    long rows,
    long nanScores,
    double exactMatch,
    double labelAccuracy,
    List<ClassScores> labels,
    AverageScores macro,
    AverageScores micro,
    AverageScores weighted,
    double rocAuc,
    double logLoss,
    Calibration calibration,
    List<String> warnings) {
  public MultiLabelReport {
    labels = List.copyOf(labels);
    warnings = List.copyOf(warnings);
  }

  /** Every component under its name; numbers that are not defined are null. */
  public ObjectNode toJson() {
    ObjectNode json = Json.object().put("rows", rows).put("nanScores", nanScores);
    Json.put(json, "exactMatch", exactMatch);
    Json.put(json, "labelAccuracy", labelAccuracy);
    Json.put(json, "macro", macro);
    Json.put(json, "micro", micro);
    Json.put(json, "weighted", weighted);
    Json.put(json, "rocAuc", rocAuc);
    Json.put(json, "logLoss", logLoss);
    Json.put(json, "expectedCalibrationError", calibration.expectedError());
    Json.put(json, "labels", labels);
    json.set("calibration", calibration.toJson());
    Json.putWarnings(json, warnings);
    return json;
  }

  @Override
  public String toString() {
    long support = labels.stream().mapToLong(ClassScores::support).sum();
    Table table = ClassificationReport.table(labels);
    table.rule();
    ClassificationReport.average(table, "micro average", micro, support);
    ClassificationReport.average(table, "macro average", macro, support);
    ClassificationReport.average(table, "weighted average", weighted, support);
    var out = new StringBuilder(table.toString()).append('\n');
    ClassificationReport.line(out, "exact match", exactMatch);
    ClassificationReport.line(out, "label accuracy", labelAccuracy);
    ClassificationReport.line(out, "log loss", logLoss);
    ClassificationReport.line(out, "ROC AUC", rocAuc);
    ClassificationReport.line(out, "calibration error", calibration.expectedError());
    warnings.forEach(w -> out.append("\nWarning: ").append(w).append('\n'));
    return out.toString();
  }
}
