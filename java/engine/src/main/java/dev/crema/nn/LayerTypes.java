package dev.crema.nn;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.Json;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The layers that a model file may name, and their settings as JSON. */
final class LayerTypes {
  static final Map<String, Class<? extends Layer>> ALL = all();

  private static final JsonMapper MAPPER = mapper();

  private LayerTypes() {}

  private static Map<String, Class<? extends Layer>> all() {
    List<Class<? extends Layer>> types =
        List.of(
            Dense.class,
            Activate.class,
            Dropout.class,
            Flatten.class,
            ReshapeTo.class,
            Permute.class,
            Conv1d.class,
            Conv2d.class,
            DepthwiseConv2d.class,
            ConvTranspose2d.class,
            MaxPool1d.class,
            MaxPool2d.class,
            AveragePool1d.class,
            AveragePool2d.class,
            GlobalAveragePool.class,
            GlobalMaxPool.class,
            BatchNorm.class,
            LayerNorm.class,
            RmsNorm.class,
            GroupNorm.class,
            Embedding.class,
            Lstm.class,
            Gru.class,
            MultiHeadAttention.class,
            Add.class,
            Subtract.class,
            Multiply.class,
            Average.class,
            Maximum.class,
            Concat.class);
    Map<String, Class<? extends Layer>> byName = new LinkedHashMap<>();
    types.forEach(t -> byName.put(LayerNames.of(t), t));
    return Collections.unmodifiableMap(byName);
  }

  private static JsonMapper mapper() {
    JsonMapper mapper = Json.mapper().copy();
    ALL.forEach((name, type) -> mapper.registerSubtypes(new NamedType(type, name)));
    return mapper;
  }

  /**
   * Type and settings.
   *
   * @throws CremaException for a layer that is none of {@link #ALL}
   */
  static ObjectNode toJson(Layer layer) {
    if (!ALL.containsValue(layer.getClass())) {
      throw new CremaException(
          layer.getClass().getName()
              + " is not one of Crema's layers; a model file holds no code, so a model that uses it"
              + " cannot be saved");
    }
    return MAPPER.valueToTree(layer);
  }

  /**
   * A layer of its type and settings.
   *
   * @throws CremaException that says which setting is wrong
   */
  static Layer fromJson(ObjectNode settings) {
    JsonNode type = settings.path("type");
    if (!type.isTextual() || !ALL.containsKey(type.asText())) {
      throw new CremaException(
          (type.isTextual()
                  ? "there is no layer type '" + type.asText() + "'"
                  : "\"type\" must name a layer")
              + ". There are: "
              + String.join(", ", ALL.keySet()));
    }
    try {
      return MAPPER.treeToValue(settings, Layer.class);
    } catch (JsonProcessingException e) {
      throw new CremaException(explain(e, type.asText()), e);
    }
  }

  private static String explain(JsonProcessingException e, String type) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof CremaException) {
        return at(e) + t.getMessage();
      }
    }
    if (e instanceof UnrecognizedPropertyException unknown) {
      List<String> known =
          unknown.getKnownPropertyIds().stream().map(String::valueOf).sorted().toList();
      return type
          + " has no setting '"
          + unknown.getPropertyName()
          + "'. It has: "
          + String.join(", ", known);
    }
    if (e instanceof InvalidFormatException invalid && invalid.getTargetType().isEnum()) {
      String names =
          Arrays.stream(invalid.getTargetType().getEnumConstants())
              .map(c -> MAPPER.convertValue(c, String.class))
              .collect(Collectors.joining(", "));
      return at(e) + "'" + invalid.getValue() + "' is not one of " + names;
    }
    return at(e) + e.getOriginalMessage();
  }

  private static String at(JsonProcessingException e) {
    if (!(e instanceof JsonMappingException mapping)) {
      return "";
    }
    String path =
        mapping.getPath().stream()
            .filter(r -> r.getFieldName() != null)
            .map(JsonMappingException.Reference::getFieldName)
            .collect(Collectors.joining("."));
    return path.isEmpty() ? "" : path + ": ";
  }
}
