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
import dev.crema.pass.QuantizationScheme;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Which layers of a model predict with quantized weights, by which {@link QuantizationScheme}, and
 * with which scales. Immutable.
 *
 * <ul>
 *   <li>Static: int8 weights on uint8 inputs; {@link Dense} and {@link Conv2d} of one group, {@link
 *       Embedding}, whose every row has a scale, and between those {@link Add} of two, {@link
 *       AveragePool2d} and {@link GlobalAveragePool}.
 *   <li>Dynamic: int8 weights on uint8 inputs, whose every row has the range that it turns out to
 *       have; {@link Dense}. A convolution would have its whole image measured before its first
 *       product, while its weights are few: calibrate those.
 *   <li>fp8: weights and inputs, the latter times one scale; {@link Dense}.
 *   <li>Weights only, of int8 or int4, on float32 inputs; {@link Dense}, where weights are many and
 *       each is used once an example.
 * </ul>
 *
 * @param layers by the names of their places
 * @param always whether predictors compute dynamic, weight-only and fp8 layers so even where
 *     float32 was measured to be faster. Static layers, which give bytes to each other, always are.
 */
public record Quantization(Map<String, LayerQuantization> layers, boolean always) {
  /** The parameters that are quantized. */
  static final String KERNEL = "kernel";

  private static final String TABLE = "table";

  private static final String WEIGHTS = "weights";
  private static final String INT8 = "int8"; // or int4, as the layer says
  private static final String FP8 = "fp8";
  private static final String INPUTS = "inputs";
  private static final String METHOD = "method";
  private static final String BITS = "bits";
  private static final String GROUP_SIZE = "group_size";
  private static final String ALWAYS = "always";

  public Quantization {
    layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
    if (layers.isEmpty()) {
      throw new CremaException("A quantization needs at least one layer");
    }
  }

  /** One whose layers are computed so where that is faster, the static ones always. */
  public Quantization(Map<String, LayerQuantization> layers) {
    this(layers, false);
  }

  /** Whether all of its layers are static. */
  public boolean isStatic() {
    return layers.values().stream().allMatch(LayerQuantization::isStatic);
  }

  /** Whether one of its layers is of fp8. */
  boolean hasFp8() {
    return layers.values().stream()
        .anyMatch(q -> q.scheme().method() == QuantizationScheme.Method.FP8);
  }

  /** Whether there is a static form of the layer there. */
  public static boolean supports(Topology.Place place) {
    return supports(place, QuantizationScheme.STATIC);
  }

  /** Whether there is a form of the layer there that computes by that scheme. */
  public static boolean supports(Topology.Place place, QuantizationScheme scheme) {
    Objects.requireNonNull(place, "place");
    if (scheme.method() != QuantizationScheme.Method.STATIC) {
      return place.layer() instanceof Dense;
    }
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
    Topology.Place place = place(topology, name, QuantizationScheme.STATIC);
    String parameter =
        hasKernel(place.layer()) ? KERNEL : place.layer() instanceof Embedding ? TABLE : null;
    return parameter == null ? null : place.weights() + "/" + parameter;
  }

  /** Whether a parameter that becomes int8 has a scale for each row, instead of each column. */
  public static boolean hasScaledRows(String path) {
    return path.endsWith("/" + TABLE);
  }

  private static Topology.Place place(Topology topology, String name, QuantizationScheme scheme) {
    return topology.places().stream()
        .filter(p -> p.name().equals(name) && supports(p, scheme))
        .findFirst()
        .orElseThrow(
            () ->
                new CremaException(
                    "The quantization names '"
                        + name
                        + "', which is no layer of this model that can be quantized "
                        + scheme.method()
                        + (scheme.method() == QuantizationScheme.Method.STATIC
                            ? ": a dense layer, a convolution of one group, an embedding, a sum"
                                + " of two, an average pool"
                            : ": a dense layer")));
  }

  /**
   * How kernels and tables stand as whole numbers, by their paths.
   *
   * @throws CremaException if a layer does not fit the model
   */
  Map<String, QuantizedKernel> kernels(Topology topology, ParameterTable table) {
    Map<String, QuantizedKernel> kernels = new TreeMap<>();
    Map<String, LayerQuantization> known = new HashMap<>();
    layers.forEach(
        (name, layer) -> {
          requireInputs(topology, name, layer.scheme(), layer.inputs().size());
          String path = kernelOf(topology, name);
          if (path == null) {
            return;
          }
          Parameter kernel = table.get(path);
          requireFits(name, kernel, layer);
          LayerQuantization other = known.putIfAbsent(path, layer);
          if (other != null
              && !(other.scheme().equals(layer.scheme())
                  && Arrays.equals(other.weightScales(), layer.weightScales()))) {
            throw new CremaException(name + " shares " + path + " but has other scales for it");
          }
          kernels.put(path, QuantizedKernel.of(kernel, layer));
        });
    return kernels;
  }

  private static void requireFits(String name, Parameter kernel, LayerQuantization layer) {
    boolean table = hasScaledRows(kernel.path());
    long rows = PackQuantized.rowsOf(kernel.type());
    QuantizationScheme.Method method = layer.scheme().method();
    boolean whole = method == QuantizationScheme.Method.DYNAMIC || layer.isStatic();
    boolean sums = !table && whole;
    if (sums && rows > PackQuantized.MOST_FEATURES) {
      throw new CremaException(
          name
              + " sums "
              + rows
              + " products; at most "
              + PackQuantized.MOST_FEATURES
              + " can be summed in int32. Leave it out.");
    }
    long groups = layer.isStatic() ? 1 : layer.scheme().groups(rows);
    long scales = Math.multiplyExact(groups, kernel.type().extent(table ? 0 : -1));
    if (layer.weightScales().length != scales) {
      throw new CremaException(
          name + " needs " + scales + " scales of weights, got " + layer.weightScales().length);
    }
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
    ObjectNode root = Json.mapper().createObjectNode().put(WEIGHTS, hasFp8() ? FP8 : INT8);
    if (always) {
      root.put(ALWAYS, true);
    }
    ObjectNode all = root.putObject("layers");
    layers.forEach(
        (name, layer) -> {
          ObjectNode json = all.putObject(name);
          if (!layer.isStatic()) {
            QuantizationScheme scheme = layer.scheme();
            json.put(METHOD, scheme.method().toString()).put(BITS, scheme.bits());
            json.put(GROUP_SIZE, scheme.groupSize());
          }
          if (!layer.scheme().isCalibrated()) {
            return;
          }
          ArrayNode inputs = json.putArray(INPUTS);
          for (QuantizationParameters x : layer.inputs()) {
            inputs.addObject().put("scale", x.scale()).put("zero_point", x.zeroPoint());
          }
        });
    return root;
  }

  /** Scales of kernels from elsewhere, by the kernels' paths. */
  interface Scales {
    float[] of(String kernel, QuantizationScheme scheme);
  }

  /**
   * @param where the file, for messages
   */
  static Quantization fromJson(JsonNode json, Topology topology, Scales scales, String where) {
    String weights = json.path(WEIGHTS).asText();
    if (!weights.equals(INT8) && !weights.equals(FP8) || !json.path("layers").isObject()) {
      throw new CremaException(
          where + ": \"quantization\" must be of \"weights\": \"int8\" or \"fp8\" with \"layers\"");
    }
    Map<String, LayerQuantization> layers = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> e : json.path("layers").properties()) {
      try {
        QuantizationScheme scheme = scheme(e.getValue());
        List<QuantizationParameters> inputs =
            scheme.isCalibrated() ? inputs(e.getValue()) : List.of();
        requireInputs(topology, e.getKey(), scheme, inputs.size());
        String kernel = kernelOf(topology, e.getKey());
        float[] columns = kernel == null ? new float[0] : scales.of(kernel, scheme);
        layers.put(e.getKey(), new LayerQuantization(scheme, inputs, columns));
      } catch (ShapeException x) {
        throw new CremaException(
            where + ": quantization of '" + e.getKey() + "': " + x.getMessage(), x);
      }
    }
    return new Quantization(layers, json.path(ALWAYS).asBoolean());
  }

  /** Static layers have none in their file. */
  private static QuantizationScheme scheme(JsonNode layer) {
    if (!layer.has(METHOD)) {
      return QuantizationScheme.STATIC;
    }
    JsonNode bits = layer.path(BITS);
    JsonNode group = layer.path(GROUP_SIZE);
    if (!bits.isInt() || !group.isInt()) {
      throw new ShapeException(
          "whole numbers \"bits\" and \"group_size\" are needed, got " + layer);
    }
    return new QuantizationScheme(
        QuantizationScheme.Method.of(layer.path(METHOD).asText()),
        bits.intValue(),
        group.intValue());
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

  private static void requireInputs(
      Topology topology, String name, QuantizationScheme scheme, int got) {
    Topology.Place place = place(topology, name, scheme);
    boolean bytes = scheme.isCalibrated() && !(place.layer() instanceof Embedding);
    int needed = bytes ? place.inputs().size() : 0;
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
