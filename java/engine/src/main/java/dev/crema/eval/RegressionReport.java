package dev.crema.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.text.Table;
import dev.crema.text.TerminalText;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What {@link RegressionMetrics} found. Immutable. The figures of the whole are the means of the
 * outputs' figures (RMSE: the root of the mean MSE).
 *
 * @param rows examples
 * @param nanPredictions predictions (one an output of a row) that were NaN, left out of every
 *     figure
 * @param outputs one entry an output
 * @param warnings what a reader must know to trust the figures
 */
public record RegressionReport(
    long rows, long nanPredictions, List<Output> outputs, List<String> warnings) {
  private static final int MAX_NAME = 24;

  /**
   * Errors of one output; NaN without a prediction.
   *
   * @param name the output
   * @param count predictions that are not NaN
   * @param mse mean squared error
   * @param mae mean absolute error
   * @param bias mean of prediction − target
   * @param maxError largest absolute error
   * @param r2 coefficient of determination, 1 − Σ(y − ŷ)² / Σ(y − ȳ)². NaN below two predictions;
   *     if all targets are equal 1 for predictions without error, else 0
   */
  public record Output(
      String name, long count, double mse, double mae, double bias, double maxError, double r2) {
    /** Root of the mean squared error. */
    public double rmse() {
      return Math.sqrt(mse);
    }
  }

  public RegressionReport {
    outputs = List.copyOf(outputs);
    warnings = List.copyOf(warnings);
  }

  /** Mean squared error. */
  public double mse() {
    return mean(Output::mse);
  }

  /** Root of the mean squared error. */
  public double rmse() {
    return Math.sqrt(mse());
  }

  /** Mean absolute error. */
  public double mae() {
    return mean(Output::mae);
  }

  /** Coefficient of determination. */
  public double r2() {
    return mean(Output::r2);
  }

  private double mean(ToDoubleFunction<Output> figure) {
    return outputs.stream().mapToDouble(figure).average().orElse(Double.NaN);
  }

  /** The figures of the whole and of each output; numbers that are not defined are null. */
  public ObjectNode toJson() {
    ObjectNode json = Json.object().put("rows", rows).put("nanPredictions", nanPredictions);
    Json.put(json, "mse", mse());
    Json.put(json, "rmse", rmse());
    Json.put(json, "mae", mae());
    Json.put(json, "r2", r2());
    var array = json.putArray("outputs");
    for (Output o : outputs) {
      ObjectNode child = array.addObject().put("name", o.name()).put("count", o.count());
      Json.put(child, "mse", o.mse());
      Json.put(child, "rmse", o.rmse());
      Json.put(child, "mae", o.mae());
      Json.put(child, "bias", o.bias());
      Json.put(child, "maxError", o.maxError());
      Json.put(child, "r2", o.r2());
    }
    Json.putWarnings(json, warnings);
    return json;
  }

  @Override
  public String toString() {
    Table table =
        Table.of("output", "MSE", "RMSE", "MAE", "R²", "bias", "max error", "count")
            .style(Table.Style.PLAIN);
    for (Output o : outputs) {
      String name = TerminalText.cut(o.name(), MAX_NAME);
      table.row(name, o.mse(), o.rmse(), o.mae(), o.r2(), o.bias(), o.maxError(), o.count());
    }
    if (outputs.size() > 1) {
      table.rule();
      table.row("mean", mse(), rmse(), mae(), r2(), null, null, rows);
    }
    var out = new StringBuilder(table.toString());
    warnings.forEach(w -> out.append("\nWarning: ").append(w).append('\n'));
    return out.toString();
  }
}
