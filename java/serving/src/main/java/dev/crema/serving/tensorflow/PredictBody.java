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
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The body of a {@code :predict}, read in one pass straight into tensors.
 *
 * @param inputs by name
 * @param rows whether they came as {@code instances}, one example after the other, so that the
 *     answer is {@code predictions}
 */
record PredictBody(Map<String, TensorValue> inputs, boolean rows) {
  static PredictBody read(JsonFormat format, byte[] body, Signature signature) throws IOException {
    try (JsonParser json = format.parser(body, 0, body.length)) {
      return new Reader(json, signature, body.length).read();
    }
  }

  /** The position in a body and what was found in it so far. */
  private static final class Reader {
    private final JsonParser json;
    private final Signature signature;
    private final int bodyLength;
    private Map<String, TensorValue> inputs;
    private boolean rows;

    Reader(JsonParser json, Signature signature, int bodyLength) {
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
      return new PredictBody(inputs, rows);
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
        return namedRows();
      }
      TensorSpec only = onlyInput("instances is a plain list, but expecting list of objects");
      JsonTensor tensor = tensor(only);
      tensor.readOpened(json);
      return Map.of(only.name(), value(only, tensor));
    }

    private Map<String, TensorValue> namedRows() throws IOException {
      Map<String, JsonTensor> tensors = new LinkedHashMap<>();
      for (TensorSpec spec : signature.inputs()) {
        tensors.put(spec.name(), tensor(spec));
      }
      long row = 0;
      for (JsonToken t = json.currentToken(); t != JsonToken.END_ARRAY; t = json.nextToken()) {
        if (t != JsonToken.START_OBJECT) {
          throw ServingException.invalidArgument(
              "Expecting object but got "
                  + JsonFormat.describe(json)
                  + " at item "
                  + row
                  + " of 'instances' list");
        }
        int found = 0;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
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
      while (json.nextToken() == JsonToken.FIELD_NAME) {
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
          spec.name(), NumberType.of(spec.type()), DataTypes.of(spec.type()).name(), expected);
    }

    private TensorValue value(TensorSpec spec, JsonTensor tensor) {
      return new TensorValue(spec.type(), tensor.shape(), tensor.data());
    }
  }
}
