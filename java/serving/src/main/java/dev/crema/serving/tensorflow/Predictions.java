package dev.crema.serving.tensorflow;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocol.Rest;
import dev.crema.serving.protocols.tensorflow.serving.ClassificationResult;
import dev.crema.serving.protocols.tensorflow.serving.Classifications;
import dev.crema.serving.protocols.tensorflow.serving.Regression;
import dev.crema.serving.protocols.tensorflow.serving.RegressionResult;
import dev.crema.serving.tensor.JsonTensorWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Answers as TensorFlow Serving's JSON. */
final class Predictions {
  private Predictions() {}

  /**
   * {@code predictions}, row by row, for a request in rows; {@code outputs} for one in columns. A
   * single output goes without its name.
   */
  static void write(JsonGenerator json, InferenceResponse response, boolean rows)
      throws IOException {
    json.writeStartObject();
    if (rows) {
      json.writeFieldName("predictions");
      rows(json, response.outputs());
    } else {
      json.writeFieldName("outputs");
      columns(json, response.outputs());
    }
    json.writeEndObject();
  }

  private static void columns(JsonGenerator json, Map<String, TensorValue> outputs)
      throws IOException {
    if (outputs.size() == 1) {
      new JsonTensorWriter(outputs.values().iterator().next()).writeNested(json);
      return;
    }
    json.writeStartObject();
    for (Map.Entry<String, TensorValue> output : outputs.entrySet()) {
      json.writeFieldName(output.getKey());
      new JsonTensorWriter(output.getValue()).writeNested(json);
    }
    json.writeEndObject();
  }

  private static void rows(JsonGenerator json, Map<String, TensorValue> outputs)
      throws IOException {
    long rows = rows(outputs);
    List<String> names = new ArrayList<>();
    List<JsonTensorWriter> writers = new ArrayList<>();
    outputs.forEach(
        (name, value) -> {
          names.add(name);
          writers.add(new JsonTensorWriter(value));
        });
    json.writeStartArray();
    for (long row = 0; row < rows; row++) {
      if (writers.size() == 1) {
        writers.get(0).writeRow(json);
        continue;
      }
      json.writeStartObject();
      for (int i = 0; i < names.size(); i++) {
        json.writeFieldName(names.get(i));
        writers.get(i).writeRow(json);
      }
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static long rows(Map<String, TensorValue> outputs) {
    long rows = -1;
    for (Map.Entry<String, TensorValue> output : outputs.entrySet()) {
      TensorValue value = output.getValue();
      if (value.shape().length == 0 || (rows >= 0 && value.rows() != rows)) {
        throw ServingException.invalidArgument(
            "Tensor name: "
                + output.getKey()
                + " has the shape of "
                + value
                + ", not one row for each instance. Ask with 'inputs' instead of 'instances'.");
      }
      rows = value.rows();
    }
    return rows;
  }

  /** Lists of [label, score]. */
  static Rest.Content of(ClassificationResult result) {
    return json -> {
      json.writeStartObject();
      json.writeArrayFieldStart("results");
      for (Classifications one : result.getClassificationsList()) {
        json.writeStartArray();
        for (var c : one.getClassesList()) {
          json.writeStartArray();
          json.writeString(c.getLabel());
          json.writeNumber(c.getScore());
          json.writeEndArray();
        }
        json.writeEndArray();
      }
      json.writeEndArray();
      json.writeEndObject();
    };
  }

  static Rest.Content of(RegressionResult result) {
    return json -> {
      json.writeStartObject();
      json.writeArrayFieldStart("results");
      for (Regression r : result.getRegressionsList()) {
        json.writeNumber(r.getValue());
      }
      json.writeEndArray();
      json.writeEndObject();
    };
  }
}
