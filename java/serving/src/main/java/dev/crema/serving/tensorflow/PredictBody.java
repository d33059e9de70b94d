package dev.crema.serving.tensorflow;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.JsonTensor;
import dev.crema.serving.tensor.NumberType;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The body of a {@code :predict}, read in one pass straight into tensors.
 *
 * @param inputs by name; empty where rows of a table were given
 * @param table rows of the table that the model learnt from, instead of inputs
 * @param rows whether they came as {@code instances}, one example after the other, so that the
 *     answer is {@code predictions}
 */
record PredictBody(Map<String, TensorValue> inputs, List<Map<String, String>> table, boolean rows) {
  /**
   * @param tensorBytes of the biggest tensor that is taken
   */
  static PredictBody read(JsonFormat format, byte[] body, Signature signature, long tensorBytes)
      throws IOException {
    try (JsonParser json = format.parser(body, 0, body.length)) {
      return new Reader(json, signature, body.length, tensorBytes).read();
    }
  }

  /** The position in a body and what was found in it so far. */
  private static final class Reader {
    private final JsonParser json;
    private final Signature signature;
    private final int bodyLength;
    private final long tensorBytes;
    private List<Map<String, String>> table = List.of();
    private Map<String, TensorValue> inputs;
    private boolean rows;

    Reader(JsonParser json, Signature signature, int bodyLength, long tensorBytes) {
      this.tensorBytes = tensorBytes;
      this.json = json;
      this.signature = signature;
      this.bodyLength = bodyLength;
    }

    PredictBody read() throws IOException {
      JsonBodies.open(json);
      boolean named = false;
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String field = json.currentName();
        json.nextToken();
        switch (field) {
          case "signature_name" -> {
            JsonBodies.once(named, field);
            named = true;
            SignatureNames.check(JsonBodies.string(json, field), SignatureNames.PREDICT);
          }
          case "instances", "inputs" -> {
            if (inputs != null) {
              throw ServingException.invalidArgument(
                  "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to"
                      + " exist, and once");
            }
            rows = field.equals("instances");
            inputs = rows ? instances() : columns();
          }
          default -> json.skipChildren();
        }
      }
      JsonBodies.close(json);
      if (inputs == null) {
        throw ServingException.invalidArgument("Missing 'inputs' or 'instances' key");
      }
      return new PredictBody(inputs, table, rows);
    }

    private Map<String, TensorValue> instances() throws IOException {
      if (json.currentToken() != JsonToken.START_ARRAY) {
        throw ServingException.invalidArgument(
            "Expecting 'instances' value to be a list/array, got " + JsonFormat.describe(json));
      }
      JsonToken first = json.nextToken();
      if (first == JsonToken.END_ARRAY) {
        throw ServingException.invalidArgument("No values in 'instances' array");
      }
      if (first == JsonToken.START_OBJECT) {
        if (json.nextToken() == JsonToken.FIELD_NAME && namesColumns(json.currentName())) {
          table = TableRows.rows(json, signature, tensorBytes);
          return Map.of();
        }
        return namedRows();
      }
      TensorSpec only = onlyInput("instances is a plain list, but expecting list of objects");
      JsonTensor tensor = tensor(only);
      tensor.readOpened(json);
      return Map.of(only.name(), value(only, tensor));
    }

    /** Whether what is named here are columns of a table: not inputs, which would be tensors. */
    private boolean namesColumns(String name) {
      return !signature.columns().isEmpty()
          && signature.inputs().stream().noneMatch(i -> i.name().equals(name));
    }

    /** The current token is the first in the first row. */
    private Map<String, TensorValue> namedRows() throws IOException {
      Map<String, JsonTensor> tensors = new LinkedHashMap<>();
      for (TensorSpec spec : signature.inputs()) {
        tensors.put(spec.name(), tensor(spec));
      }
      long row = 0;
      JsonToken field = json.currentToken();
      for (JsonToken t = JsonToken.START_OBJECT; t != JsonToken.END_ARRAY; t = json.nextToken()) {
        if (t != JsonToken.START_OBJECT) {
          throw ServingException.invalidArgument(
              "Expecting object but got "
                  + JsonFormat.describe(json)
                  + " at item "
                  + row
                  + " of 'instances' list");
        }
        int found = 0;
        field = row == 0 ? field : json.nextToken();
        for (; field == JsonToken.FIELD_NAME; field = json.nextToken()) {
          String name = json.currentName();
          JsonTensor tensor = tensors.get(name);
          if (tensor == null) {
            throw unknown(name, "item " + row + " of 'instances'");
          }
          json.nextToken();
          if (tensor.rows() != row) {
            throw ServingException.invalidArgument(
                "Item " + row + " of 'instances' has '" + name + "' twice");
          }
          tensor.readRow(json);
          found++;
        }
        if (found != tensors.size()) {
          throw ServingException.invalidArgument(
              "Failed to process element: "
                  + row
                  + " of 'instances' list. JSON object: keys must be equal to: "
                  + String.join(",", tensors.keySet()));
        }
        row++;
      }
      Map<String, TensorValue> values = new LinkedHashMap<>();
      for (TensorSpec spec : signature.inputs()) {
        values.put(spec.name(), value(spec, tensors.get(spec.name())));
      }
      return values;
    }

    private Map<String, TensorValue> columns() throws IOException {
      if (json.currentToken() != JsonToken.START_OBJECT) {
        TensorSpec only = onlyInput("inputs is a plain value/list, but expecting an object");
        JsonTensor tensor = tensor(only);
        tensor.read(json);
        return Map.of(only.name(), value(only, tensor));
      }
      Map<String, TensorValue> values = new LinkedHashMap<>();
      JsonToken token = json.nextToken();
      if (token == JsonToken.FIELD_NAME && namesColumns(json.currentName())) {
        table = TableRows.columns(json, signature, tensorBytes);
        return Map.of();
      }
      for (; token == JsonToken.FIELD_NAME; token = json.nextToken()) {
        String name = json.currentName();
        TensorSpec spec = spec(name);
        json.nextToken();
        JsonTensor tensor = tensor(spec);
        tensor.read(json);
        if (values.put(name, value(spec, tensor)) != null) {
          throw ServingException.invalidArgument("'inputs' object has '" + name + "' twice");
        }
      }
      for (TensorSpec spec : signature.inputs()) {
        if (!values.containsKey(spec.name())) {
          throw ServingException.invalidArgument(
              "Missing named input: " + spec.name() + " in 'inputs' object.");
        }
      }
      return values;
    }

    private TensorSpec onlyInput(String problem) {
      if (signature.inputs().size() != 1) {
        throw ServingException.invalidArgument(
            problem + " as multiple input tensors are required: " + inputNames());
      }
      return signature.inputs().get(0);
    }

    private TensorSpec spec(String name) {
      for (TensorSpec spec : signature.inputs()) {
        if (spec.name().equals(name)) {
          return spec;
        }
      }
      throw unknown(name, "'inputs'");
    }

    private ServingException unknown(String name, String where) {
      return ServingException.invalidArgument(
          "JSON object: does not have named input: "
              + JsonFormat.shortened(name)
              + ", given in "
              + where
              + "; the model takes "
              + inputNames());
    }

    private String inputNames() {
      return signature.inputs().stream()
          .map(TensorSpec::toString)
          .collect(Collectors.joining(", "));
    }

    /**
     * A number in JSON has two characters at least, so this is rarely too little or much too much.
     */
    private JsonTensor tensor(TensorSpec spec) {
      int expected = Math.min(bodyLength, 1 << 20) / signature.inputs().size();
      return new JsonTensor(
          spec.name(),
          NumberType.of(spec.type()),
          DataTypes.of(spec.type()).name(),
          expected,
          tensorBytes);
    }

    private TensorValue value(TensorSpec spec, JsonTensor tensor) {
      return new TensorValue(spec.type(), tensor.shape(), tensor.data());
    }
  }
}
