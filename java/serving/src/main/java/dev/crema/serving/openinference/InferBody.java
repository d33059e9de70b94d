package dev.crema.serving.openinference;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.JsonTensor;
import dev.crema.serving.tensor.NumberType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The body of an {@code /infer}: JSON, and after it the data of those inputs that have a {@code
 * binary_data_size}, in their order.
 *
 * @param id "" if there is none
 * @param inputs by name; empty where rows are given
 * @param rows of the table that the model learnt from, instead of inputs
 * @param outputs those asked for; empty for all
 */
record InferBody(
    String id,
    Map<String, Object> parameters,
    Map<String, TensorValue> inputs,
    List<Map<String, String>> rows,
    List<RequestedOutput> outputs) {
  /**
   * @param jsonLength bytes of JSON at its beginning
   */
  static InferBody read(
      JsonFormat format, byte[] body, int jsonLength, Signature signature, long tensorBytes)
      throws IOException {
    try (JsonParser json = format.parser(body, 0, jsonLength)) {
      return new Reader(format, json, body, jsonLength, signature, tensorBytes).read();
    }
  }

  /** The position in a body and what was found in it so far. */
  private static final class Reader {
    private final JsonFormat format;
    private final JsonParser json;
    private final byte[] body;
    private final int jsonLength;
    private final long tensorBytes;
    private final InferInputs inputs;
    private int binary; // where the data of the next binary input begins

    Reader(
        JsonFormat format,
        JsonParser json,
        byte[] body,
        int jsonLength,
        Signature signature,
        long tensorBytes) {
      this.format = format;
      this.json = json;
      this.body = body;
      this.jsonLength = jsonLength;
      this.tensorBytes = tensorBytes;
      inputs = new InferInputs(signature, tensorBytes);
      binary = jsonLength;
    }

    InferBody read() throws IOException {
      if (json.nextToken() == null) {
        throw ServingException.invalidArgument("JSON Parse error: The document is empty");
      }
      expect(JsonToken.START_OBJECT, "The body must be a JSON object");
      String id = null;
      Map<String, Object> parameters = null;
      List<RequestedOutput> outputs = null;
      boolean given = false;
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String field = json.currentName();
        json.nextToken();
        switch (field) {
          case "id" -> {
            once(id == null, field);
            id = Calls.checkId(string("'id'"));
          }
          case "parameters" -> {
            once(parameters == null, field);
            parameters = parameters();
          }
          case "inputs" -> {
            once(!given, field);
            given = true;
            expect(JsonToken.START_ARRAY, "'inputs' must be a list");
            while (json.nextToken() != JsonToken.END_ARRAY) {
              input();
            }
          }
          case "outputs" -> {
            once(outputs == null, field);
            outputs = outputs();
          }
          default -> json.skipChildren();
        }
      }
      if (json.nextToken() != null) {
        throw ServingException.invalidArgument(
            "JSON Parse error: " + JsonFormat.describe(json) + " after the end of the document");
      }
      if (!given) {
        throw ServingException.invalidArgument("the request has no 'inputs'");
      }
      if (binary != body.length) {
        throw ServingException.invalidArgument(
            "the body has "
                + (body.length - binary)
                + " bytes after its JSON and the binary data of its inputs");
      }
      return new InferBody(
          id == null ? "" : id,
          parameters == null ? Map.of() : parameters,
          inputs.complete(),
          inputs.rows(),
          outputs == null ? List.of() : outputs);
    }

    private void input() throws IOException {
      expect(JsonToken.START_OBJECT, "an input must be an object");
      String name = null;
      String datatype = null;
      long[] shape = null;
      Map<String, Object> parameters = null;
      Data data = null;
      int later = -1; // where 'data' is, if it came before what it is read with
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String field = json.currentName();
        json.nextToken();
        switch (field) {
          case "name" -> {
            once(name == null, "name' of an input '");
            name = string("'name' of an input");
          }
          case "datatype" -> {
            once(datatype == null, "datatype' of an input '");
            datatype = string("'datatype' of an input");
          }
          case "shape" -> {
            once(shape == null, "shape' of an input '");
            shape = shape();
          }
          case "parameters" -> {
            once(parameters == null, "parameters' of an input '");
            parameters = parameters();
          }
          case "data" -> {
            once(data == null && later < 0, "data' of an input '");
            if (json.currentToken() != JsonToken.START_ARRAY) {
              throw ServingException.invalidArgument(
                  "'data' of an input must be a list, got " + JsonFormat.describe(json));
            }
            if (name != null && datatype != null) {
              data = data(name, datatype, json);
            } else {
              later = (int) json.currentTokenLocation().getByteOffset();
              json.skipChildren();
            }
          }
          default -> json.skipChildren();
        }
      }
      finish(name, datatype, shape, parameters == null ? Map.of() : parameters, data, later);
    }

    /**
     * What 'data' held: a tensor's values, or a column's.
     *
     * @param tensor null for a column
     * @param type of the tensor's values as they were sent
     */
    private record Data(JsonTensor tensor, NumberType type, List<String> column) {}

    /** The current token opens the list. */
    private Data data(String name, String datatype, JsonParser from) throws IOException {
      if (inputs.columns().has(name)) {
        return new Data(null, null, inputs.columns().read(name, datatype, from));
      }
      NumberType type = inputs.type(inputs.spec(name), datatype);
      JsonTensor tensor =
          new JsonTensor(name, type, type.name(), Math.min(jsonLength, 1 << 20), tensorBytes);
      tensor.read(from);
      return new Data(tensor, type, null);
    }

    private void finish(
        String name,
        String datatype,
        long[] shape,
        Map<String, Object> parameters,
        Data read,
        int later)
        throws IOException {
      if (name == null) {
        throw ServingException.invalidArgument("an input has no 'name'");
      }
      boolean column = inputs.columns().has(name);
      TensorSpec spec = column ? null : inputs.spec(name);
      if (datatype == null || shape == null) {
        throw ServingException.invalidArgument(
            "inference input '"
                + JsonFormat.shortened(name)
                + "' has no '"
                + (datatype == null ? "datatype" : "shape")
                + (column ? "'" : "'; the model takes " + spec));
      }
      Object size = parameters.get("binary_data_size");
      Data data = read;
      if (later >= 0) {
        try (JsonParser again = format.parser(body, later, jsonLength - later)) {
          again.nextToken();
          data = data(name, datatype, again);
        }
      }
      if ((data == null) == (size == null)) {
        throw ServingException.invalidArgument(
            "inference input '"
                + JsonFormat.shortened(name)
                + "' must have either 'data' or the parameter 'binary_data_size'"
                + (data == null ? "" : ", not both"));
      }
      if (column) {
        inputs
            .columns()
            .add(
                name,
                shape,
                data == null
                    ? inputs.columns().read(name, datatype, shape, binary(name, size))
                    : data.column());
      } else if (data == null) {
        inputs.add(spec, inputs.type(spec, datatype), shape, binary(name, size));
      } else {
        checkNesting(name, shape, data.tensor().shape());
        inputs.add(spec, data.type(), shape, data.tensor().data());
      }
    }

    /** Data is flat or nested as the shape says. */
    private static void checkNesting(String name, long[] shape, long[] nested) {
      if (nested.length > 1 && !Arrays.equals(nested, shape) && !isEmpty(shape, nested)) {
        throw ServingException.invalidArgument(
            "inference input '"
                + name
                + "' has the shape "
                + Arrays.toString(shape)
                + ", but its data is nested as "
                + Arrays.toString(nested));
      }
    }

    /** [2, 0] and [0, 5] have the same data: none. */
    private static boolean isEmpty(long[] shape, long[] nested) {
      return Arrays.stream(shape).anyMatch(e -> e == 0)
          && Arrays.stream(nested).anyMatch(e -> e == 0);
    }

    private ByteBuffer binary(String name, Object size) {
      if (!(size instanceof Long bytes) || bytes < 0) {
        throw ServingException.invalidArgument(
            "parameter 'binary_data_size' of inference input '"
                + JsonFormat.shortened(name)
                + "' takes a number of bytes, got "
                + size);
      }
      if (bytes > body.length - binary) {
        throw ServingException.invalidArgument(
            "inference input '"
                + JsonFormat.shortened(name)
                + "' has a 'binary_data_size' of "
                + bytes
                + ", but only "
                + (body.length - binary)
                + " bytes follow. The header "
                + OpenInferenceRest.JSON_LENGTH
                + " says where the JSON ends.");
      }
      ByteBuffer data =
          ByteBuffer.wrap(body, binary, bytes.intValue()).slice().order(ByteOrder.LITTLE_ENDIAN);
      binary += bytes.intValue();
      return data;
    }

    private List<RequestedOutput> outputs() throws IOException {
      expect(JsonToken.START_ARRAY, "'outputs' must be a list");
      List<RequestedOutput> outputs = new ArrayList<>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        expect(JsonToken.START_OBJECT, "an output must be an object");
        String name = null;
        Map<String, Object> parameters = Map.of();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          String field = json.currentName();
          json.nextToken();
          switch (field) {
            case "name" -> name = string("'name' of an output");
            case "parameters" -> parameters = parameters();
            default -> json.skipChildren();
          }
        }
        if (name == null) {
          throw ServingException.invalidArgument("an output has no 'name'");
        }
        outputs.add(RequestedOutput.of(name, parameters));
      }
      return outputs;
    }

    private long[] shape() throws IOException {
      expect(JsonToken.START_ARRAY, "'shape' of an input must be a list");
      long[] shape = new long[4];
      int rank = 0;
      while (json.nextToken() != JsonToken.END_ARRAY) {
        expect(JsonToken.VALUE_NUMBER_INT, "'shape' of an input takes whole numbers");
        if (rank == MAX_RANK) {
          throw ServingException.invalidArgument("'shape' of an input has more than 32 extents");
        }
        shape = rank == shape.length ? Arrays.copyOf(shape, 2 * rank) : shape;
        shape[rank++] = integer();
      }
      return Arrays.copyOf(shape, rank);
    }

    /** Booleans, longs, doubles and strings; lists and objects are left out. */
    private Map<String, Object> parameters() throws IOException {
      expect(JsonToken.START_OBJECT, "'parameters' must be an object");
      Map<String, Object> parameters = new HashMap<>();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        Object value =
            switch (json.nextToken()) {
              case VALUE_TRUE -> Boolean.TRUE;
              case VALUE_FALSE -> Boolean.FALSE;
              case VALUE_NUMBER_INT -> integer();
              case VALUE_NUMBER_FLOAT -> json.getDoubleValue();
              case VALUE_STRING -> JsonFormat.shortened(json.getText());
              default -> null;
            };
        json.skipChildren();
        if (value != null && parameters.put(name, value) != null) {
          throw ServingException.invalidArgument(
              "parameter '" + JsonFormat.shortened(name) + "' is given twice");
        }
      }
      return parameters;
    }

    private long integer() throws IOException {
      try {
        return json.getLongValue();
      } catch (InputCoercionException e) {
        throw ServingException.invalidArgument(JsonFormat.describe(json) + " is beyond 64 bits");
      }
    }

    private String string(String what) throws IOException {
      expect(JsonToken.VALUE_STRING, what + " must be a string");
      return json.getText();
    }

    private void expect(JsonToken token, String otherwise) throws IOException {
      if (json.currentToken() != token) {
        throw ServingException.invalidArgument(otherwise + ", got " + JsonFormat.describe(json));
      }
    }

    private static void once(boolean first, String field) {
      if (!first) {
        throw ServingException.invalidArgument("'" + field + "' is given twice");
      }
    }
  }

  private static final int MAX_RANK = 32;
}
