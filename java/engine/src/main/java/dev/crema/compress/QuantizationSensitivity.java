package dev.crema.compress;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import dev.crema.text.Signed;
import dev.crema.text.Table;
import dev.crema.train.Evaluation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * How a model does when one layer alone is quantized: which layers bear it, and which had better
 * stay float32. Its text is a table, a row for each layer.
 *
 * <p>Mixed quantization leaves the most sensitive layers as they are:
 *
 * <pre>{@code
 * QuantizationSensitivity s =
 *     QuantizationSensitivity.of(model, Quantizer.standard(), train.take(500), held);
 * String[] worst = s.mostSensitive().stream().limit(2).toArray(String[]::new);
 * try (Model mixed = Quantizer.standard().without(worst).quantize(model, train.take(500))) {
 *   mixed.save(Path.of("mixed"));
 * }
 * }</pre>
 *
 * @param metric what is measured beside the loss: accuracy, or the mean absolute error of a
 *     regression
 * @param unquantized of the model as it is
 * @param quantized with all of the layers quantized
 * @param layers in the model's order
 */
public record QuantizationSensitivity(
    String metric, Measure unquantized, Measure quantized, List<Row> layers) {
  /**
   * How well a model does.
   *
   * @param value of the metric
   */
  public record Measure(double value, double loss) {}

  /**
   * A layer that is quantized alone.
   *
   * @param weights of its kernel
   */
  public record Row(String layer, long weights, Measure measure) {}

  public QuantizationSensitivity {
    Objects.requireNonNull(metric, "metric");
    Objects.requireNonNull(unquantized, "unquantized");
    Objects.requireNonNull(quantized, "quantized");
    layers = List.copyOf(layers);
  }

  /** On all threads of the best device. */
  public static QuantizationSensitivity of(
      Model model, Quantizer quantizer, Dataset calibration, Dataset data) {
    return of(model, quantizer, calibration, data, 0, Device.best());
  }

  /**
   * Quantizes each layer with a kernel that the quantizer would quantize, without the others, and
   * measures that. Reads the model, which stays as it is and open.
   *
   * @param calibration examples to calibrate with, as for {@link Quantizer#quantize}; read once or
   *     twice for each layer
   * @param data to measure on; other examples than those of {@code calibration} tell more
   * @param threads of the pool; 0 for all
   * @throws dev.crema.CremaException if no layer can be quantized, the model is quantized already,
   *     or the data does not fit it
   */
  public static QuantizationSensitivity of(
      Model model,
      Quantizer quantizer,
      Dataset calibration,
      Dataset data,
      int threads,
      Device device) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(quantizer, "quantizer");
    Objects.requireNonNull(calibration, "calibration");
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(device, "device");
    Evaluation before = Candidate.of("", model).evaluate(data, threads, device);
    Evaluation all = evaluate(model, quantizer, calibration, data, threads, device);
    List<Row> rows = new ArrayList<>();
    for (String layer : quantizer.layers(model)) {
      Quantizer alone = quantizer.only(model, layer);
      Evaluation evaluation = evaluate(model, alone, calibration, data, threads, device);
      String kernel = Quantization.kernelOf(model.topology(), layer);
      rows.add(new Row(layer, model.table().get(kernel).elements(), measure(evaluation)));
    }
    String metric = before.mainMetrics().keySet().iterator().next();
    return new QuantizationSensitivity(metric, measure(before), measure(all), rows);
  }

  private static Evaluation evaluate(
      Model model,
      Quantizer quantizer,
      Dataset calibration,
      Dataset data,
      int threads,
      Device device) {
    try (Model quantized = quantizer.quantize(model, calibration)) {
      return Candidate.of("", quantized).evaluate(data, threads, device);
    }
  }

  private static Measure measure(Evaluation evaluation) {
    return new Measure(evaluation.mainMetrics().values().iterator().next(), evaluation.loss());
  }

  /**
   * The layers, the most sensitive first: by the loss with that layer quantized, which tells
   * smaller differences than accuracy does; of equal ones the earlier layer.
   */
  public List<String> mostSensitive() {
    return layers.stream()
        .sorted(Comparator.comparingDouble((Row r) -> -r.measure.loss))
        .map(Row::layer)
        .toList();
  }

  public ObjectNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("metric", metric);
    put(json.putObject("unquantized"), unquantized);
    put(json.putObject("quantized"), quantized);
    ArrayNode rows = json.putArray("layers");
    for (Row row : layers) {
      put(rows.addObject().put("layer", row.layer).put("weights", row.weights), row.measure);
    }
    return json;
  }

  private void put(ObjectNode to, Measure measure) {
    to.put(metric, measure.value).put("loss", measure.loss);
  }

  @Override
  public String toString() {
    Table table =
        Table.of("int8", "weights", metric, "change", "loss", "change")
            .title("Sensitivity to quantization");
    for (int column = 2; column < 6; column++) {
      table.align(column, Table.Align.RIGHT);
    }
    table.row("none", null, unquantized.value, null, unquantized.loss).rule();
    for (Row row : layers) {
      row(table, row.layer, row.weights, row.measure);
    }
    long weights = layers.stream().mapToLong(Row::weights).sum();
    row(table.rule(), "all", weights, quantized);
    return table.toString();
  }

  private void row(Table table, String name, long weights, Measure m) {
    table.row(
        name,
        weights,
        m.value,
        Signed.of(m.value - unquantized.value, 4),
        m.loss,
        Signed.of(m.loss - unquantized.loss, 4));
  }
}
