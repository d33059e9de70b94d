package dev.crema.compress;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import dev.crema.train.Evaluation;
import java.util.Locale;

/**
 * What a model is worth and what it costs.
 *
 * @param fileBytes of its file
 * @param parameters numbers that training changes
 * @param nonZeros those of them that are not 0
 * @param nanosOf1 median latency of a prediction of one example
 * @param nanosOf32 of 32 examples together
 */
public record Figures(
    String name,
    Evaluation evaluation,
    long fileBytes,
    long parameters,
    long nonZeros,
    double nanosOf1,
    double nanosOf32) {
  /** The share of the parameters that are 0. */
  public double sparsity() {
    return parameters == 0 ? 0 : 1 - (double) nonZeros / parameters;
  }

  public ObjectNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("name", name);
    evaluation.mainMetrics().forEach(json::put);
    json.put("file_bytes", fileBytes).put("parameters", parameters).put("non_zeros", nonZeros);
    json.put("latency_us_batch_1", nanosOf1 / 1e3).put("latency_us_batch_32", nanosOf32 / 1e3);
    json.set("evaluation", evaluation.toJson());
    return json;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s: %s, %,d bytes, %,d of %,d parameters are not 0, %.1f µs, %.1f µs",
        name,
        evaluation.mainMetrics(),
        fileBytes,
        nonZeros,
        parameters,
        nanosOf1 / 1e3,
        nanosOf32 / 1e3);
  }
}
