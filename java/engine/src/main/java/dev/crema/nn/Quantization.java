package dev.crema.nn;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.graph.ShapeException;
import dev.crema.io.Json;
import dev.crema.op.PackQuantized;
import dev.crema.op.QuantizationParameters;
import dev.crema.pass.LayerQuantization;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Which layers of a model predict with int8 weights and uint8 inputs, and with which scales: {@link
 * Dense} and {@link Conv2d} of one group, {@link Embedding}, whose every row has a scale, and
 * between those {@link Add} of two, {@link AveragePool2d} and {@link GlobalAveragePool}. Immutable.
 *
 * @param layers by the names of their places
 */
public record Quantization(Map<String, LayerQuantization> layers) {
  /** The parameters that become int8. */
  static final String KERNEL = "kernel";

  private static final String TABLE = "table";

  private static final String INPUTS = "inputs";

  public Quantization {
    layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
    if (layers.isEmpty()) {
      throw new CremaException("A quantization needs at least one layer");
    }
  }

  /** Whether there is a form of the layer there that computes with bytes. */
  public static boolean supports(Topology.Place place) {
    Objects.requireNonNull(place, "place");
    return hasKernel(place.layer())
        || place.layer() instanceof Embedding
        || place.layer() instanceof Add && place.inputs().size() == 2
        || place.layer() instanceof AveragePool2d
        || place.layer() instanceof GlobalAveragePool;
  }

  private static boolean hasKernel(Layer layer) {
    return layer instanceof Dense || layer instanceof Conv2d c && c.groups() == 1;
  }

  /**
   * Path of the kernel or table of the place {@code name}; its scales' path has {@code .scale}
   * behind. Null for a layer without either.
   *
   * @throws CremaException if that is no layer that can be quantized
   */
  public static String kernelOf(Topology topology, String name) {
    Objects.requireNonNull(topology, "topology");
    Objects.requireNonNull(name, "name");
    Topology.Place place = place(topology, name);
    String parameter =
        hasKernel(place.layer()) ? KERNEL : place.layer() instanceof Embedding ? TABLE : null;
    return parameter == null ? null : place.weights() + "/" + parameter;
  }

  /** Whether a parameter that becomes int8 has a scale for each row, instead of each column. */
  public static boolean hasScaledRows(String path) {
    return path.endsWith("/" + TABLE);
  }

  /** Which of the scales is that of element {@code i} of a parameter of so many columns. */
  static int scaleOf(String path, long columns, long i) {
    return (int) (hasScaledRows(path) ? i / columns : i % columns);
  }

  private static Topology.Place place(Topology topology, String name) {
    return topology.places().stream()
        .filter(p -> p.name().equals(name) && supports(p))
        .findFirst()
        .orElseThrow(
            () ->
                new CremaException(
                    "The quantization names '"
                        + name
                        + "', which is no layer of this model that can compute with bytes: a dense"
                        + " layer, a convolution of one group, an embedding, a sum of two, an"
                        + " average pool"));
  }

  /**
   * The scales of kernels' outputs and tables' rows, by the parameters' paths.
   *
   * @throws CremaException if a layer does not fit the model
   */
  Map<String, float[]> scales(Topology topology, ParameterTable table) {
    Map<String, float[]> scales = new TreeMap<>();
    layers.forEach(
        (name, layer) -> {
          requireInputs(topology, name, layer.inputs().size());
          String path = kernelOf(topology, name);
          if (path == null) {
            return;
          }
          Parameter kernel = table.get(path);
          boolean rows = hasScaledRows(path);
          long units = kernel.type().extent(rows ? 0 : -1);
          if (!rows && PackQuantized.rowsOf(kernel.type()) > PackQuantized.MOST_FEATURES) {
            throw new CremaException(
                name
                    + " sums "
                    + PackQuantized.rowsOf(kernel.type())
                    + " products; at most "
                    + PackQuantized.MOST_FEATURES
                    + " can be summed in int32. Leave it out.");
          }
          float[] columns = layer.weightScales();
          if (columns.length != units) {
            throw new CremaException(
                name + " needs " + units + " scales of weights, got " + columns.length);
          }
          float[] known = scales.putIfAbsent(path, columns);
          if (known != null && !Arrays.equals(known, columns)) {
            throw new CremaException(name + " shares " + path + " but has other scales for it");
          }
        });
    return scales;
  }

  /** How the layers' inputs are rounded, for a checkpoint to compare. */
  public String description() {
    StringBuilder text = new StringBuilder();
    layers.forEach(
        (name, layer) -> text.append(name).append(' ').append(layer.inputs()).append(' '));
    return text.toString().strip();
  }

  /** Without the scales of weights, which are tensors. */
  ObjectNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode().put("weights", "int8");
    ObjectNode all = json.putObject("layers");
    layers.forEach(
        (name, layer) -> {
          ArrayNode inputs = all.putObject(name).putArray(INPUTS);
          for (QuantizationParameters x : layer.inputs()) {
            inputs.addObject().put("scale", x.scale()).put("zero_point", x.zeroPoint());
          }
        });
    return json;
  }

  /** Scales of kernels' columns from elsewhere, by the kernels' paths. */
  interface Scales {
    float[] of(String kernel);
  }

  /**
   * @param where the file, for messages
   */
  static Quantization fromJson(JsonNode json, Topology topology, Scales scales, String where) {
    if (!json.path("weights").asText().equals("int8") || !json.path("layers").isObject()) {
      throw new CremaException(
          where + ": \"quantization\" must be of \"weights\": \"int8\" with \"layers\"");
    }
    Map<String, LayerQuantization> layers = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> e : json.path("layers").properties()) {
      try {
        List<QuantizationParameters> inputs = inputs(e.getValue());
        requireInputs(topology, e.getKey(), inputs.size());
        String kernel = kernelOf(topology, e.getKey());
        float[] columns = kernel == null ? new float[0] : scales.of(kernel);
        layers.put(e.getKey(), new LayerQuantization(inputs, columns));
      } catch (ShapeException x) {
        throw new CremaException(
            where + ": quantization of '" + e.getKey() + "': " + x.getMessage(), x);
      }
    }
    return new Quantization(layers);
  }

  private static List<QuantizationParameters> inputs(JsonNode layer) {
    JsonNode inputs = layer.path(INPUTS);
    if (!inputs.isArray()) {
      return List.of(input(layer)); // as version 2 had it
    }
    List<QuantizationParameters> all = new ArrayList<>();
    inputs.forEach(x -> all.add(input(x)));
    return all;
  }

  private static void requireInputs(Topology topology, String name, int got) {
    Topology.Place place = place(topology, name);
    int needed = place.layer() instanceof Embedding ? 0 : place.inputs().size();
    if (got != needed) {
      throw new CremaException(
          "The quantization of '" + name + "' needs " + needed + " inputs, got " + got);
    }
  }

  private static QuantizationParameters input(JsonNode json) {
    JsonNode scale = json.path("scale");
    JsonNode zeroPoint = json.path("zero_point");
    boolean numbers = scale.isNumber() && zeroPoint.isInt();
    if (!numbers || zeroPoint.asInt() < 0 || zeroPoint.asInt() > 255) {
      throw new ShapeException(
          "a \"scale\" and a \"zero_point\" from 0 to 255 are needed, got " + json);
    }
    return new QuantizationParameters(scale.floatValue(), zeroPoint.asInt());
  }
}
