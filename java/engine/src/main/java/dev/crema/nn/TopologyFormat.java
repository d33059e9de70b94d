package dev.crema.nn;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.graph.Dim;
import dev.crema.graph.TensorType;
import dev.crema.io.Json;
import dev.crema.memory.ElementType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A topology as JSON:
 *
 * <pre>{@code
 * {"inputs":  [{"name": "x", "shape": [28, 28, 1], "type": "float32"}],
 *  "layers":  [{"type": "flatten"},
 *              {"type": "dense", "units": 64, "activation": "relu"},
 *              {"type": "dense", "units": 10, "activation": "softmax", "name": "digits"}],
 *  "outputs": ["digits"]}
 * }</pre>
 *
 * A shape is that of one example. A layer without {@code inputs} reads the one before it; one with
 * {@code "weights": NAME} is an earlier layer at another place, with the same parameters; without
 * {@code outputs} the last layer is the output; settings left out take their defaults.
 */
public final class TopologyFormat {
  private TopologyFormat() {}

  public static ObjectNode toJson(Topology topology) {
    ObjectNode json = Json.mapper().createObjectNode();
    ArrayNode inputs = json.putArray("inputs");
    for (Topology.InputSpec input : topology.inputs()) {
      ObjectNode o = inputs.addObject().put("name", input.name());
      ArrayNode shape = o.putArray("shape");
      input.type().dims().stream().skip(1).forEach(d -> shape.add(d.constant()));
      o.put("type", input.type().element().name().toLowerCase(Locale.ROOT));
    }
    ArrayNode layers = json.putArray("layers");
    for (Topology.Place place : topology.places()) {
      ObjectNode o = layers.addObject().put("name", place.name());
      if (place.weights().equals(place.name())) {
        LayerTypes.toJson(place.layer()).properties().forEach(e -> o.set(e.getKey(), e.getValue()));
      } else {
        o.put("weights", place.weights());
      }
      ArrayNode in = o.putArray("inputs");
      place.inputs().forEach(in::add);
    }
    ArrayNode outputs = json.putArray("outputs");
    topology.outputs().forEach(outputs::add);
    return json;
  }

  /**
   * Reads the topology in a JSON file: alone, or as the {@code "topology"} of a model's file.
   *
   * @throws CremaException naming the file, and the place in it, of what is missing, unknown or
   *     does not fit
   */
  public static Topology read(Path file) {
    JsonNode json = Json.read(file);
    return fromJson(json.has("topology") ? json.path("topology") : json, file.toString());
  }

  /**
   * Reads a topology and checks that its layers fit one another.
   *
   * @param where the file, for messages
   * @throws CremaException if something is missing, unknown or does not fit
   */
  public static Topology fromJson(JsonNode json, String where) {
    try {
      Topology topology = parse(json);
      topology.table();
      return topology;
    } catch (CremaException e) {
      throw new CremaException(where + ": " + e.getMessage(), e);
    }
  }

  private static Topology parse(JsonNode json) {
    List<Topology.InputSpec> inputs = new ArrayList<>();
    for (JsonNode input : array(json, "inputs")) {
      inputs.add(new Topology.InputSpec(text(input, "name"), type(input)));
    }
    Map<String, Topology.Place> byName = new HashMap<>();
    Map<String, Integer> counts = new HashMap<>();
    List<Topology.Place> places = new ArrayList<>();
    String previous = inputs.size() == 1 ? inputs.get(0).name() : null;
    for (JsonNode node : array(json, "layers")) {
      String at = "layers[" + places.size() + "]";
      try {
        Topology.Place place = place(node, previous, byName, counts);
        places.add(place);
        byName.put(place.name(), place);
        previous = place.name();
      } catch (CremaException e) {
        throw new CremaException(at + named(node) + ": " + e.getMessage(), e);
      }
    }
    List<String> outputs = new ArrayList<>();
    if (json.has("outputs")) {
      outputs.addAll(texts(json.path("outputs"), "outputs"));
    } else if (previous != null) {
      outputs.add(previous);
    }
    return new Topology(inputs, places, outputs);
  }

  private static String named(JsonNode layer) {
    JsonNode name = layer.has("name") ? layer.get("name") : layer.path("type");
    return name.isTextual() ? " (" + name.asText() + ")" : "";
  }

  private static Topology.Place place(
      JsonNode node,
      String previous,
      Map<String, Topology.Place> byName,
      Map<String, Integer> counts) {
    if (!(node instanceof ObjectNode object)) {
      throw new CremaException("a layer must be an object, got " + node);
    }
    ObjectNode settings = object.deepCopy();
    settings.remove(List.of("name", "weights", "inputs"));
    Topology.Place shared = null;
    Layer layer;
    if (object.has("weights")) {
      String weights = text(object, "weights");
      shared = byName.get(weights);
      if (shared == null) {
        throw new CremaException("no earlier layer is named '" + weights + "'");
      }
      if (!settings.isEmpty()) {
        throw new CremaException(
            "a layer with \"weights\" has the settings of '"
                + weights
                + "' and none of its own; remove "
                + List.copyOf(new java.util.TreeSet<>(fields(settings))));
      }
      layer = shared.layer();
    } else {
      layer = LayerTypes.fromJson(settings);
    }
    String kind = LayerNames.of(layer);
    String name =
        object.has("name")
            ? text(object, "name")
            : kind + "_" + counts.merge(kind, 1, Integer::sum);
    List<String> from;
    if (object.has("inputs")) {
      from = texts(object.get("inputs"), "inputs");
    } else if (previous != null) {
      from = List.of(previous);
    } else {
      throw new CremaException("it must say its \"inputs\", for the model has several");
    }
    return new Topology.Place(name, layer, shared == null ? name : shared.weights(), from);
  }

  private static List<String> fields(ObjectNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static TensorType type(JsonNode input) {
    List<Dim> dims = new ArrayList<>();
    dims.add(Dim.BATCH);
    for (JsonNode d : array(input, "shape")) {
      if (!d.isIntegralNumber() || !d.canConvertToLong() || d.longValue() < 1) {
        throw new CremaException("an input's shape must be positive whole numbers, got " + d);
      }
      dims.add(Dim.of(d.longValue()));
    }
    String element = input.has("type") ? text(input, "type") : "float32";
    for (ElementType type : ElementType.values()) {
      if (type.name().toLowerCase(Locale.ROOT).equals(element)) {
        return new TensorType(type, dims);
      }
    }
    throw new CremaException("there is no element type '" + element + "'");
  }

  private static List<String> texts(JsonNode value, String field) {
    List<String> texts = new ArrayList<>();
    if (value.isTextual()) {
      texts.add(value.asText());
      return texts;
    }
    if (!value.isArray()) {
      throw new CremaException("\"" + field + "\" must be an array of names, got " + value);
    }
    for (JsonNode v : value) {
      if (!v.isTextual()) {
        throw new CremaException("\"" + field + "\" must hold names, got " + v);
      }
      texts.add(v.asText());
    }
    return texts;
  }

  private static JsonNode array(JsonNode json, String field) {
    JsonNode value = json.get(field);
    if (value == null || !value.isArray()) {
      throw new CremaException(
          "\""
              + field
              + "\" must be an array, "
              + (value == null ? "but is missing" : "got " + value));
    }
    return value;
  }

  private static String text(JsonNode json, String field) {
    JsonNode value = json.get(field);
    if (value == null || !value.isTextual()) {
      throw new CremaException(
          "\""
              + field
              + "\" must be a text, "
              + (value == null ? "but is missing" : "got " + value));
    }
    return value.asText();
  }
}
