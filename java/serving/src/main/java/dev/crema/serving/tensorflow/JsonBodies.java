package dev.crema.serving.tensorflow;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.tensor.JsonFormat;
import java.io.IOException;

/** The outermost object of a body. */
final class JsonBodies {
  private JsonBodies() {}

  static void open(JsonParser json) throws IOException {
    if (json.nextToken() == null) {
      throw ServingException.invalidArgument("JSON Parse error: The document is empty");
    }
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw ServingException.invalidArgument(
          "The body must be a JSON object, got " + JsonFormat.describe(json));
    }
  }

  /** Nothing may follow it. */
  static void close(JsonParser json) throws IOException {
    if (json.nextToken() != null) {
      throw ServingException.invalidArgument(
          "JSON Parse error: " + JsonFormat.describe(json) + " after the end of the document");
    }
  }

  static void once(boolean seen, String field) {
    if (seen) {
      throw ServingException.invalidArgument("The body has '" + field + "' twice");
    }
  }

  static String string(JsonParser json, String field) throws IOException {
    if (json.currentToken() != JsonToken.VALUE_STRING) {
      throw ServingException.invalidArgument(
          "'" + field + "' key must be a string value, got " + JsonFormat.describe(json));
    }
    return json.getText();
  }
}
