package dev.crema.nn;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.graph.Dim;
import dev.crema.graph.TensorType;
import dev.crema.io.Json;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
 * {@code "weights": NAME} shares the parameters of an earlier layer; without {@code outputs} the
 * last layer is the output; settings left out take their defaults.
 */
public final class TopologyFormat {
  private static final JsonMapper MAPPER = mapper();

  private TopologyFormat() {}

  private static JsonMapper mapper() {
    JsonMapper mapper = Json.mapper().copy();
    LayerTypes.ALL.forEach((name, type) -> mapper.registerSubtypes(new NamedType(type, name)));
    return mapper;
  }

  /** The name of a layer's type, in files and in the names that layers get. */
  static String typeName(Layer layer) {
    return LayerTypes.name(layer.getClass());
  }

  public static ObjectNode toJson(Topology topology) {
    ObjectNode json = MAPPER.createObjectNode();
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
      ObjectNode settings = MAPPER.valueToTree(place.layer());
      settings.properties().forEach(e -> o.set(e.getKey(), e.getValue()));
      if (!place.weights().equals(place.name())) {
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
   * Reads a topology.
   *
   * @param where the file, for messages
   * @throws CremaException if something is missing, unknown or does not fit
   */
  public static Topology fromJson(JsonNode json, String where) {
    try {
      return read(json);
    } catch (JsonProcessingException e) {
      throw new CremaException(where + ": " + e.getOriginalMessage(), e);
    } catch (IllegalArgumentException | CremaException e) {
      throw new CremaException(where + ": " + e.getMessage(), e);
    }
  }

  private static Topology read(JsonNode json) throws JsonProcessingException {
    List<Topology.InputSpec> inputs = new ArrayList<>();
    for (JsonNode input : array(json, "inputs")) {
      inputs.add(new Topology.InputSpec(text(input, "name"), type(input)));
    }
    Map<String, Layer> byName = new LinkedHashMap<>();
    Map<String, Integer> counts = new LinkedHashMap<>();
    List<Topology.Place> places = new ArrayList<>();
    String previous = inputs.size() == 1 ? inputs.get(0).name() : null;
    for (JsonNode node : array(json, "layers")) {
      if (!(node instanceof ObjectNode object)) {
        throw new CremaException("a layer must be an object, got " + node);
      }
      ObjectNode settings = object.deepCopy();
      JsonNode name = settings.remove("name");
      JsonNode weights = settings.remove("weights");
      JsonNode in = settings.remove("inputs");
      Layer layer;
      if (weights != null && byName.containsKey(weights.asText())) {
        layer = byName.get(weights.asText());
      } else if (weights != null) {
        throw new CremaException("no earlier layer is named '" + weights.asText() + "'");
      } else {
        layer = layer(settings);
      }
      String kind = typeName(layer);
      String given =
          name != null ? name.asText() : kind + "_" + counts.merge(kind, 1, Integer::sum);
      List<String> from = new ArrayList<>();
      if (in != null) {
        in.forEach(n -> from.add(n.asText()));
      } else if (previous != null) {
        from.add(previous);
      } else {
        throw new CremaException(
            "layer '" + given + "' must say its \"inputs\": the model has several");
      }
      places.add(
          new Topology.Place(given, layer, weights != null ? weights.asText() : given, from));
      byName.put(given, layer);
      previous = given;
    }
    List<String> outputs = new ArrayList<>();
    if (json.has("outputs")) {
      array(json, "outputs").forEach(n -> outputs.add(n.asText()));
    } else if (previous != null) {
      outputs.add(previous);
    }
    return new Topology(inputs, places, outputs);
  }

  private static Layer layer(ObjectNode settings) throws JsonProcessingException {
    String type = text(settings, "type");
    if (!LayerTypes.ALL.containsKey(type)) {
      throw new CremaException(
          "there is no layer type '" + type + "'. There are: " + LayerTypes.ALL.keySet());
    }
    return MAPPER.treeToValue(settings, Layer.class);
  }

  private static TensorType type(JsonNode input) {
    List<Dim> dims = new ArrayList<>();
    dims.add(Dim.BATCH);
    for (JsonNode d : array(input, "shape")) {
      if (!d.canConvertToLong() || d.longValue() < 1) {
        throw new CremaException("an input's shape must be positive integers, got " + d);
      }
      dims.add(Dim.of(d.longValue()));
    }
    String element = input.has("type") ? text(input, "type") : "float32";
    try {
      return new TensorType(ElementType.valueOf(element.toUpperCase(Locale.ROOT)), dims);
    } catch (IllegalArgumentException e) {
      throw new CremaException("there is no element type '" + element + "'", e);
    }
  }

  private static JsonNode array(JsonNode json, String field) {
    JsonNode value = json.get(field);
    if (value == null || !value.isArray()) {
      throw new CremaException("\"" + field + "\" must be an array, got " + value);
    }
    return value;
  }

  private static String text(JsonNode json, String field) {
    JsonNode value = json.get(field);
    if (value == null || !value.isTextual()) {
      throw new CremaException("\"" + field + "\" must be a text, got " + value);
    }
    return value.asText();
  }
}
