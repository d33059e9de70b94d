package dev.crema.nn;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.graph.ShapeException;

/** Settings that JSON gives as one whole number or as an array of them. */
final class JsonNumbers {
  private JsonNumbers() {}

  static int[] of(JsonNode json) {
    if (!json.isArray()) {
      return new int[] {number(json)};
    }
    int[] values = new int[json.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = number(json.get(i));
    }
    return values;
  }

  private static int number(JsonNode json) {
    if (!json.isIntegralNumber() || !json.canConvertToInt()) {
      throw new ShapeException("expected a whole number, got " + json);
    }
    return json.intValue();
  }
}
