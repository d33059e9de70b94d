package dev.crema.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/** Reads members of a JSON object and names the one that is missing or of the wrong kind. */
record JsonReader(JsonNode json, String where) {
  JsonReader {
    if (json == null || !json.isObject()) {
      throw new CremaException("JSON: " + where + " must be an object, got " + shorten(json));
    }
  }

  boolean has(String name) {
    return json.hasNonNull(name);
  }

  JsonReader object(String name) {
    return new JsonReader(json.get(name), where + "." + name);
  }

  List<JsonReader> objects(String name) {
    JsonNode array = array(name);
    List<JsonReader> list = new ArrayList<>();
    for (int i = 0; i < array.size(); i++) {
      list.add(new JsonReader(array.get(i), where + "." + name + "[" + i + "]"));
    }
    return list;
  }

  String text(String name) {
    JsonNode value = json.get(name);
    if (value == null || !value.isTextual()) {
      throw wrong(name, "a string", shorten(value));
    }
    return value.textValue();
  }

  boolean bool(String name) {
    JsonNode value = json.get(name);
    if (value == null || !value.isBoolean()) {
      throw wrong(name, "true or false", shorten(value));
    }
    return value.booleanValue();
  }

  /** A finite number. */
  double number(String name) {
    JsonNode value = json.get(name);
    if (value == null || !value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw wrong(name, "a finite number", shorten(value));
    }
    return value.doubleValue();
  }

  /** A finite number above zero. */
  double positive(String name) {
    double value = number(name);
    if (!(value > 0)) {
      throw wrong(name, "a number above 0", String.valueOf(value));
    }
    return value;
  }

  int integer(String name, int least) {
    JsonNode value = json.get(name);
    if (value == null
        || !value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < least) {
      throw wrong(name, "an integer of at least " + least, shorten(value));
    }
    return value.intValue();
  }

  long[] extents(String name) {
    JsonNode array = array(name);
    long[] extents = new long[array.size()];
    for (int i = 0; i < extents.length; i++) {
      JsonNode value = array.get(i);
      if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1) {
        throw wrong(name, "integers of at least 1", shorten(value));
      }
      extents[i] = value.intValue();
    }
    return extents;
  }

  /** The one of some values that a text names. */
  <T> T oneOf(String name, List<T> values) {
    String text = text(name);
    for (T value : values) {
      if (value.toString().equals(text)) {
        return value;
      }
    }
    throw wrong(name, "one of " + values, text);
  }

  /** Those of some values that an array of texts names, all different. */
  <T> List<T> manyOf(String name, List<T> values) {
    List<T> many = new ArrayList<>();
    for (String text : names(name)) {
      many.add(
          values.stream()
              .filter(value -> value.toString().equals(text))
              .findFirst()
              .orElseThrow(() -> wrong(name, "of " + values, text)));
    }
    return many;
  }

  /** Strings that all differ. */
  List<String> names(String name) {
    List<String> names = new ArrayList<>();
    for (JsonNode value : array(name)) {
      if (!value.isTextual()) {
        throw wrong(name, "strings", shorten(value));
      }
      names.add(value.textValue());
    }
    if (new HashSet<>(names).size() < names.size()) {
      throw wrong(name, "names that differ", shorten(json.get(name)));
    }
    return names;
  }

  private JsonNode array(String name) {
    JsonNode value = json.get(name);
    if (value == null || !value.isArray()) {
      throw wrong(name, "an array", shorten(value));
    }
    return value;
  }

  CremaException wrong(String name, String expected, String found) {
    return new CremaException(
        "JSON: " + where + "." + name + " must be " + expected + ", got " + found);
  }

  private static String shorten(JsonNode value) {
    String text = value == null ? "nothing" : value.toString();
    return text.length() > 80 ? text.substring(0, 80) + "…" : text;
  }
}
