package dev.crema.eval.drift;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import java.util.ArrayList;
import java.util.List;

/** References as JSON. */
public final class ReferenceFormat {
  private static final int VERSION = 1;

  private ReferenceFormat() {}

  public static ObjectNode write(Reference reference) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("version", VERSION).put("examples", reference.examples());
    tensors(reference.inputs(), json.putArray("inputs"));
    tensors(reference.outputs(), json.putArray("outputs"));
    return json;
  }

  private static void tensors(List<Reference.Tensor> tensors, ArrayNode array) {
    for (Reference.Tensor tensor : tensors) {
      ObjectNode json = array.addObject().put("name", tensor.name()).put("width", tensor.width());
      if (tensor.classes() != null) {
        ObjectNode classes = json.putObject("classes");
        tensor.classes().names().forEach(classes.putArray("names")::add);
        classes.put("threshold", tensor.classes().threshold());
        counts(tensor.classes().counts(), classes);
      }
      ArrayNode features = json.putArray("features");
      for (Reference.Feature feature : tensor.features()) {
        ObjectNode f = features.addObject();
        f.put("name", feature.name()).put("position", feature.position());
        f.put("least", feature.bins().least());
        ArrayNode upper = f.putArray("upper");
        for (float bound : feature.bins().upper()) {
          upper.add(bound);
        }
        counts(feature.counts(), f);
      }
    }
  }

  private static void counts(long[] counts, ObjectNode json) {
    ArrayNode array = json.putArray("counts");
    for (long count : counts) {
      array.add(count);
    }
  }

  /**
   * Reads what {@link #write} wrote, trusting nothing.
   *
   * @throws CremaException saying what is wrong
   */
  public static Reference read(JsonNode json) {
    if (json.path("version").asInt() != VERSION) {
      throw new CremaException(
          "The model's reference data is of version "
              + json.path("version")
              + ", this Crema reads version "
              + VERSION);
    }
    try {
      return new Reference(
          whole(json, "examples"), tensors(json, "inputs"), tensors(json, "outputs"));
    } catch (IllegalArgumentException e) {
      throw new CremaException("The model's reference data is damaged: " + e.getMessage(), e);
    }
  }

  private static List<Reference.Tensor> tensors(JsonNode json, String member) {
    List<Reference.Tensor> tensors = new ArrayList<>();
    for (JsonNode tensor : array(json, member)) {
      List<Reference.Feature> features = new ArrayList<>();
      for (JsonNode f : array(tensor, "features")) {
        features.add(
            new Reference.Feature(
                text(f, "name"),
                Math.toIntExact(whole(f, "position")),
                new Bins(number(f, f.path("least")), numbers(f, "upper")),
                counts(f)));
      }
      JsonNode classes = tensor.get("classes");
      tensors.add(
          new Reference.Tensor(
              text(tensor, "name"),
              Math.toIntExact(whole(tensor, "width")),
              features,
              classes == null ? null : classes(classes)));
    }
    return tensors;
  }

  private static Reference.Classes classes(JsonNode json) {
    List<String> names = new ArrayList<>();
    array(json, "names").forEach(name -> names.add(name.asText()));
    return new Reference.Classes(names, number(json, json.path("threshold")), counts(json));
  }

  private static long[] counts(JsonNode json) {
    JsonNode array = array(json, "counts");
    long[] counts = new long[array.size()];
    for (int i = 0; i < counts.length; i++) {
      if (!array.get(i).isIntegralNumber() || array.get(i).asLong() < 0) {
        throw wrong(json, "counts");
      }
      counts[i] = array.get(i).asLong();
    }
    return counts;
  }

  private static float[] numbers(JsonNode json, String member) {
    JsonNode array = array(json, member);
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = number(json, array.get(i));
    }
    return values;
  }

  // As a float: read as a double it would be another number, and fall into another bin.
  private static float number(JsonNode json, JsonNode value) {
    if (!value.isNumber()) {
      throw wrong(json, value.toString());
    }
    return (float) value.asDouble();
  }

  private static JsonNode array(JsonNode json, String member) {
    JsonNode array = json.path(member);
    if (!array.isArray()) {
      throw wrong(json, member);
    }
    return array;
  }

  private static String text(JsonNode json, String member) {
    if (!json.path(member).isTextual()) {
      throw wrong(json, member);
    }
    return json.get(member).asText();
  }

  private static long whole(JsonNode json, String member) {
    JsonNode value = json.path(member);
    if (!value.isIntegralNumber() || value.asLong() < 0 || value.asLong() > Integer.MAX_VALUE) {
      throw wrong(json, member);
    }
    return value.asLong();
  }

  private static IllegalArgumentException wrong(JsonNode json, String member) {
    String where = json.path("name").asText("");
    return new IllegalArgumentException(
        "'"
            + member
            + "'"
            + (where.isEmpty() ? "" : " of '" + where + "'")
            + " is missing or wrong");
  }
}
