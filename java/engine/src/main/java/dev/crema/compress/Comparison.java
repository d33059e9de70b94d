package dev.crema.compress;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.text.Signed;
import dev.crema.text.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/**
 * Forms of one model side by side, such as before and after pruning: how well they do on a dataset,
 * the size of their files, their parameters, and how long a prediction takes. Its text is a table.
 *
 * <p>Latency is that of {@code Predictor.run}, from inputs in memory to outputs in memory, on the
 * data's first 1 and 32 examples. Each form is first run for 0.1 s and at least 20 times. Then come
 * 15 rounds in which each form in turn runs for about 10 ms: whatever else the machine does meets
 * all of them. A form's figure is the median of its rounds. Other machines give other times:
 * compare within one comparison.
 *
 * @param models in the order in which they were given
 */
public record Comparison(List<Figures> models) {
  private static final int ONE = 1;
  private static final int BATCH = 32;

  public Comparison {
    models = List.copyOf(models);
    if (models.isEmpty()) {
      throw new IllegalArgumentException("There is nothing to compare");
    }
  }

  /**
   * Measures candidates.
   *
   * @param threads of the pool; 0 for all
   * @throws dev.crema.CremaException if the data does not fit one of them
   */
  public static Comparison of(Dataset data, int threads, Device device, Candidate... candidates) {
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(device, "device");
    List<Candidate> all = List.of(candidates);
    List<Figures> figures = new ArrayList<>();
    var evaluations = all.stream().map(c -> c.evaluate(data, threads, device)).toList();
    double[] one = Latency.medians(all, ONE, data, threads, device);
    double[] batch = Latency.medians(all, BATCH, data, threads, device);
    for (int i = 0; i < all.size(); i++) {
      Candidate c = all.get(i);
      figures.add(
          new Figures(
              c.name(),
              evaluations.get(i),
              c.fileBytes(),
              c.parameters(),
              c.nonZeros(),
              one[i],
              batch[i]));
    }
    return new Comparison(figures);
  }

  /** As {@link #of}, of two models that are called "before" and "after". */
  public static Comparison of(Model before, Model after, Dataset data, int threads, Device device) {
    return of(data, threads, device, Candidate.of("before", before), Candidate.of("after", after));
  }

  /** An object with the figures of each model by its name. */
  public ObjectNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode();
    models.forEach(m -> json.set(m.name(), m.toJson()));
    return json;
  }

  @Override
  public String toString() {
    boolean two = models.size() == 2;
    List<String> header = new ArrayList<>(List.of(""));
    models.forEach(m -> header.add(m.name()));
    if (two) {
      header.add("change");
    }
    Table table = Table.of(header.toArray(new String[0]));
    for (int i = 1; i < header.size(); i++) {
      table.align(i, Table.Align.RIGHT);
    }
    for (Map.Entry<String, Double> metric : models.get(0).evaluation().mainMetrics().entrySet()) {
      String name = metric.getKey();
      boolean share = name.endsWith("accuracy");
      table.row(
          cells(
              name,
              f -> f.evaluation().mainMetrics().getOrDefault(name, Double.NaN),
              v -> share ? format("%.2f %%", 100 * v) : format("%.4f", v),
              two
                  ? (a, b) -> share ? Signed.of(100 * (b - a), 2) + " points" : Signed.of(b - a, 4)
                  : null));
    }
    Change factor = two ? (a, b) -> format("%.2f×", b / a) : null;
    table.row(
        cells(
            "loss",
            f -> f.evaluation().loss(),
            v -> format("%.4f", v),
            two ? (a, b) -> Signed.of(b - a, 4) : null));
    table.row(cells("file size", Figures::fileBytes, v -> format("%,.0f B", v), factor));
    table.row(cells("parameters", Figures::parameters, v -> format("%,.0f", v), factor));
    table.row(cells("non-zeros", Figures::nonZeros, v -> format("%,.0f", v), factor));
    table.row(cells("latency, batch 1", Figures::nanosOf1, Comparison::micros, factor));
    table.row(cells("latency, batch 32", Figures::nanosOf32, Comparison::micros, factor));
    return table.toString();
  }

  /** How the second number follows from the first, as text. */
  private interface Change {
    String of(double before, double after);
  }

  private Object[] cells(
      String what, ToDoubleFunction<Figures> value, DoubleFunction<String> text, Change change) {
    double[] values = models.stream().mapToDouble(value).toArray();
    List<Object> cells = new ArrayList<>(List.of(what));
    Arrays.stream(values).mapToObj(text).forEach(cells::add);
    if (change != null) {
      cells.add(change.of(values[0], values[1]));
    }
    return cells.toArray();
  }

  private static String micros(double nanos) {
    return format(nanos < 10_000 ? "%,.2f µs" : "%,.1f µs", nanos / 1e3);
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
