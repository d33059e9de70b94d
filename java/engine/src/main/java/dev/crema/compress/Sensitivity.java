package dev.crema.compress;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.eval.plot.Axes;
import dev.crema.eval.plot.Plot;
import dev.crema.eval.plot.Series;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.text.Table;
import dev.crema.train.Evaluation;
import dev.crema.train.Evaluator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * How a model does when one layer alone is pruned, without training after it: which layers bear how
 * much. Its text is a table, a row for each layer.
 *
 * @param metric what is measured: accuracy, or the mean absolute error of a regression
 * @param unpruned the metric of the model as it is
 * @param sparsities ascending
 * @param layers in the model's order
 */
public record Sensitivity(
    String metric, double unpruned, List<Double> sparsities, List<Row> layers) {
  /**
   * A layer, or several whose channels can only go together, as {@code conv2d_1 + conv2d_3}.
   *
   * @param values the metric at each of the sparsities
   */
  public record Row(String layer, List<Double> values) {
    public Row {
      values = List.copyOf(values);
    }
  }

  private static final double[] USUAL = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95};

  public Sensitivity {
    sparsities = List.copyOf(sparsities);
    layers = List.copyOf(layers);
  }

  /** At sparsities from 10 to 95 %, on all threads of the best device. */
  public static Sensitivity of(Model model, Dataset data, Pruner pruner) {
    return of(model, data, pruner, 0, Device.best());
  }

  /**
   * Measures each layer that the pruner would prune, on a copy of the model.
   *
   * @param threads of the pool; 0 for all
   * @param sparsities above 0 and below 1; none: from 10 to 95 %
   * @throws dev.crema.CremaException if the data does not fit the model, or there is nothing to
   *     prune
   */
  public static Sensitivity of(
      Model model, Dataset data, Pruner pruner, int threads, Device device, double... sparsities) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(pruner, "pruner");
    double[] ascending = sparsities.length == 0 ? USUAL.clone() : sparsities.clone();
    Arrays.sort(ascending);
    Arrays.stream(ascending).forEach(SparsitySchedule::requireTarget);
    Map<String, Prunable> targets = new LinkedHashMap<>(); // an only one of each layer
    pruner.targets(model).forEach(t -> targets.putIfAbsent(String.join(" + ", t.layers()), t));
    try (Model copy = model.copy();
        Evaluator evaluator = Evaluator.of(copy, data, threads, device)) {
      Map.Entry<String, Double> metric = metric(evaluator.evaluate(data));
      List<Row> rows = new ArrayList<>();
      for (Map.Entry<String, Prunable> target : targets.entrySet()) {
        List<Double> values = new ArrayList<>();
        Pruner alone = pruner.only(model, target.getValue());
        for (double s : ascending) {
          restore(model, copy);
          alone.prune(copy, s);
          values.add(metric(evaluator.evaluate(data)).getValue());
        }
        rows.add(new Row(target.getKey(), values));
      }
      List<Double> shares = Arrays.stream(ascending).boxed().toList();
      return new Sensitivity(metric.getKey(), metric.getValue(), shares, rows);
    }
  }

  private static Map.Entry<String, Double> metric(Evaluation evaluation) {
    return evaluation.mainMetrics().entrySet().iterator().next();
  }

  private static void restore(Model from, Model to) {
    to.masks().clear();
    to.parameters().copyFrom(0, from.parameters(), 0, from.parameters().byteSize());
    from.masks().paths().forEach(path -> to.masks().set(path, from.masks().get(path)));
  }

  /** The metric against the sparsity, a line for each layer; written as SVG or PNG. */
  public Plot plot() {
    double[] x = sparsities.stream().mapToDouble(s -> s).toArray();
    List<Series> lines = new ArrayList<>();
    for (Row row : layers) {
      lines.add(Series.line(row.layer, x, row.values.stream().mapToDouble(v -> v).toArray()));
    }
    double[] level = new double[x.length];
    Arrays.fill(level, unpruned);
    lines.add(Series.reference("unpruned", x, level));
    String title = "Sensitivity to pruning";
    return Plot.of(title, Axes.of("", "sparsity", metric, lines.toArray(new Series[0])));
  }

  public ObjectNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("metric", metric).put("unpruned", unpruned);
    ArrayNode shares = json.putArray("sparsities");
    sparsities.forEach(shares::add);
    ObjectNode rows = json.putObject("layers");
    for (Row row : layers) {
      ArrayNode values = rows.putArray(row.layer);
      row.values.forEach(values::add);
    }
    return json;
  }

  /** With decimals only where they are needed. */
  static String percent(double share) {
    boolean whole = Math.abs(100 * share - Math.rint(100 * share)) < 1e-9;
    return String.format(Locale.ROOT, whole ? "%.0f %%" : "%.2f %%", 100 * share);
  }

  @Override
  public String toString() {
    List<String> header = new ArrayList<>(List.of("layer", "unpruned"));
    sparsities.forEach(s -> header.add(percent(s)));
    Table table = Table.of(header.toArray(new String[0])).title(metric + " at a layer's sparsity");
    for (Row row : layers) {
      List<Object> cells = new ArrayList<>(List.of(row.layer, unpruned));
      cells.addAll(row.values);
      table.row(cells.toArray());
    }
    return table.toString();
  }
}
