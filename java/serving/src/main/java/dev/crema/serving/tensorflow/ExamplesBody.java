package dev.crema.serving.tensorflow;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.google.protobuf.ByteString;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.protocols.tensorflow.BytesList;
import dev.crema.serving.protocols.tensorflow.Example;
import dev.crema.serving.protocols.tensorflow.Feature;
import dev.crema.serving.protocols.tensorflow.FloatList;
import dev.crema.serving.protocols.tensorflow.Int64List;
import dev.crema.serving.protocols.tensorflow.serving.ExampleListWithContext;
import dev.crema.serving.protocols.tensorflow.serving.Input;
import dev.crema.serving.tensor.JsonFormat;
import java.io.IOException;
import java.util.Base64;

/** The body of a {@code :classify} or {@code :regress}: examples, and a context for all of them. */
final class ExamplesBody {
  private final JsonParser json;

  private ExamplesBody(JsonParser json) {
    this.json = json;
  }

  /**
   * @param method the signature that may be named
   */
  static Input read(JsonFormat format, byte[] body, String method) throws IOException {
    try (JsonParser json = format.parser(body, 0, body.length)) {
      return new ExamplesBody(json).read(method);
    }
  }

  private Input read(String method) throws IOException {
    ExampleListWithContext.Builder list = ExampleListWithContext.newBuilder();
    boolean named = false;
    boolean examples = false;
    JsonBodies.open(json);
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "signature_name" -> {
          JsonBodies.once(named, field);
          named = true;
          SignatureNames.check(JsonBodies.string(json, field), method);
        }
        case "context" -> {
          JsonBodies.once(list.hasContext(), field);
          list.setContext(example());
        }
        case "examples" -> {
          JsonBodies.once(examples, field);
          examples = true;
          if (json.currentToken() != JsonToken.START_ARRAY) {
            throw ServingException.invalidArgument(
                "Expecting 'examples' value to be a list/array, got " + JsonFormat.describe(json));
          }
          while (json.nextToken() != JsonToken.END_ARRAY) {
            list.addExamples(example());
          }
        }
        default -> json.skipChildren();
      }
    }
    JsonBodies.close(json);
    if (!examples) {
      throw ServingException.invalidArgument("Key 'examples' is expected and was not found");
    }
    if (list.getExamplesCount() == 0) {
      throw ServingException.invalidArgument("'examples' value is an empty array");
    }
    return Input.newBuilder().setExampleListWithContext(list).build();
  }

  private Example example() throws IOException {
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw ServingException.invalidArgument(
          "Example must be JSON object but got " + JsonFormat.describe(json));
    }
    Example.Builder example = Example.newBuilder();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      json.nextToken();
      if (example.getFeatures().containsFeature(name)) {
        throw ServingException.invalidArgument(
            "An example has the feature '" + JsonFormat.shortened(name) + "' twice");
      }
      example.getFeaturesBuilder().putFeature(name, feature(name));
    }
    return example.build();
  }

  /** A feature's values; one number with a point makes floats of them all. */
  private Feature feature(String name) throws IOException {
    FloatList.Builder floats = FloatList.newBuilder();
    Int64List.Builder integers = Int64List.newBuilder();
    BytesList.Builder strings = BytesList.newBuilder();
    boolean list = json.currentToken() == JsonToken.START_ARRAY;
    while (!list || json.nextToken() != JsonToken.END_ARRAY) {
      switch (json.currentToken()) {
        case VALUE_TRUE, VALUE_FALSE -> {
          integers.addValue(json.getBooleanValue() ? 1 : 0);
          floats.addValue(json.getBooleanValue() ? 1 : 0);
        }
        case VALUE_NUMBER_INT -> {
          integers.addValue(integer(name));
          floats.addValue(json.getFloatValue());
        }
        case VALUE_NUMBER_FLOAT -> floats.addValue(json.getFloatValue());
        case VALUE_STRING -> strings.addValue(ByteString.copyFromUtf8(json.getText()));
        case START_OBJECT -> strings.addValue(bytes(name));
        default -> throw unexpected(name);
      }
      if (!list) {
        break;
      }
    }
    if (strings.getValueCount() > 0) {
      if (floats.getValueCount() > 0) {
        throw ServingException.invalidArgument(
            "Unexpected element type in feature: "
                + JsonFormat.shortened(name)
                + ", which has strings beside numbers");
      }
      return Feature.newBuilder().setBytesList(strings).build();
    }
    return floats.getValueCount() > integers.getValueCount()
        ? Feature.newBuilder().setFloatList(floats).build()
        : Feature.newBuilder().setInt64List(integers).build();
  }

  private long integer(String name) throws IOException {
    try {
      return json.getLongValue();
    } catch (InputCoercionException e) {
      throw ServingException.invalidArgument(
          "Feature: " + JsonFormat.shortened(name) + " has an integer beyond 64 bits");
    }
  }

  /** {"b64": "..."} and nothing else. */
  private ByteString bytes(String name) throws IOException {
    if (json.nextToken() != JsonToken.FIELD_NAME
        || !json.currentName().equals("b64")
        || json.nextToken() != JsonToken.VALUE_STRING) {
      throw unexpected(name);
    }
    String base64 = json.getText();
    if (json.nextToken() != JsonToken.END_OBJECT) {
      throw unexpected(name);
    }
    try {
      return ByteString.copyFrom(Base64.getDecoder().decode(base64));
    } catch (IllegalArgumentException e) {
      throw ServingException.invalidArgument(
          "Unable to base64 decode feature: " + JsonFormat.shortened(name));
    }
  }

  private ServingException unexpected(String name) throws IOException {
    return ServingException.invalidArgument(
        "Feature: "
            + JsonFormat.shortened(name)
            + " has element with unexpected JSON type: "
            + JsonFormat.describe(json));
  }
}
