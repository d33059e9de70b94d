package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import dev.crema.op.QuantizationParameters;
import dev.crema.pass.LayerQuantization;
import dev.crema.pass.QuantizationScheme;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;

/**
 * Quantization after training: a copy of a model whose layers multiply by whole numbers, or those
 * of fp8, times scales, around 0, rounded to nearest. Batch normalisation behind such a layer is
 * folded into it.
 *
 * <ul>
 *   <li>{@link #standard}: static (Jacob et al. 2018): dense layers and convolutions with int8
 *       weights, a scale for each output, on uint8 inputs whose ranges are calibrated on examples,
 *       and embeddings with int8 rows, a scale for each. From one such layer to the next, ReLU,
 *       pooling, sums and concatenations included, nothing is float32.
 *   <li>{@link #dynamic}: dense layers with int8 weights, a scale for each output, on uint8 inputs;
 *       each row of them by the range that it turns out to have (DynamicQuantizeLinear of ONNX, row
 *       by row: finer than one range for the batch, and no prediction depends on its neighbours).
 *       Needs no examples. A row that holds NaN or infinity has NaN for all outputs of the layer.
 *   <li>{@link #weightOnly}: dense layers with int8 or int4 weights on float32 inputs. Groups of
 *       inputs may share a scale, for each output (as in GPTQ, Frantar et al. 2023, without its
 *       correction of errors). Needs no examples. For layers that take as long as their weights
 *       take to be read: big ones, few examples at once.
 *   <li>{@link #fp8}: dense layers with weights of {@link dev.crema.op.Fp8 E4M3}, a scale for each
 *       output, on inputs of E4M3 whose one scale is calibrated on examples (Micikevicius et al.
 *       2022); all other layers stay float32. For CUDA cards; the CPU has no such products, and
 *       computes them, if {@link #always}, in float32.
 * </ul>
 *
 * <p>Whether that pays on a machine a {@link Comparison} tells. A predictor computes dynamic,
 * weight-only and fp8 layers so only where that was measured faster than float32, unless {@link
 * #always}. Immutable.
 */
public final class Quantizer {
  /** The size of a group for int4 that is usual: half a bit a weight for the scales. */
  public static final int GROUP_SIZE = 64;

  private static final float LEAST_PRODUCT = 0x1p-100f; // of scales: far from what counts as 0
  private static final float MOST_BIAS = 0x1p30f; // in steps of the product: half of int32

  private final QuantizationScheme scheme;
  private final CalibrationMethod method;
  private final Set<String> excluded;
  private final Device device;
  private final Double smoothing;
  private final boolean always;

  private Quantizer(
      QuantizationScheme scheme,
      CalibrationMethod method,
      Set<String> excluded,
      Device device,
      Double smoothing,
      boolean always) {
    this.scheme = scheme;
    this.method = method;
    this.excluded = excluded;
    this.device = device;
    this.smoothing = smoothing;
    this.always = always;
  }

  private static Quantizer of(QuantizationScheme scheme) {
    return new Quantizer(scheme, CalibrationMethod.MIN_MAX, Set.of(), Device.best(), null, false);
  }

  /** A static one, which calibrates by {@link CalibrationMethod#MIN_MAX} on the best device. */
  public static Quantizer standard() {
    return of(QuantizationScheme.STATIC);
  }

  /** One that leaves the ranges of inputs to be found at each prediction. */
  public static Quantizer dynamic() {
    return of(QuantizationScheme.DYNAMIC);
  }

  /**
   * One that leaves inputs in float32.
   *
   * @param bits of a weight: 8 or 4
   * @param groupSize inputs that share a scale of an output, a multiple of 8 such as {@value
   *     #GROUP_SIZE}; 0: all, which is enough for 8 bits
   * @throws dev.crema.graph.ShapeException if there is no such format
   */
  public static Quantizer weightOnly(int bits, int groupSize) {
    return of(QuantizationScheme.weightOnly(bits, groupSize));
  }

  /** One for fp8, which calibrates by {@link CalibrationMethod#MIN_MAX} on the best device. */
  public static Quantizer fp8() {
    return of(QuantizationScheme.FP8);
  }

  public Quantizer withCalibration(CalibrationMethod other) {
    Objects.requireNonNull(other, "other");
    return new Quantizer(scheme, other, excluded, device, smoothing, always);
  }

  /** Leaves layers of these names as they are. */
  public Quantizer without(String... layers) {
    return new Quantizer(scheme, method, Set.copyOf(List.of(layers)), device, smoothing, always);
  }

  /** The layers with a kernel that it would quantize, in the model's order. */
  List<String> layers(Model model) {
    Graph graph = new Graph();
    model.build(graph, false);
    if (!isStatic()) {
      return List.copyOf(dense(model, graph).keySet());
    }
    return QuantizableLayers.of(model.topology(), graph, excluded).keySet().stream()
        .filter(name -> Quantization.kernelOf(model.topology(), name) != null)
        .toList();
  }

  /** The same for one of those {@link #layers} alone. */
  Quantizer only(Model model, String layer) {
    Set<String> others = new LinkedHashSet<>(excluded);
    layers(model).stream().filter(name -> !name.equals(layer)).forEach(others::add);
    return without(others.toArray(new String[0]));
  }

  /** Runs the model on that device to calibrate. */
  public Quantizer on(Device other) {
    Objects.requireNonNull(other, "other");
    return new Quantizer(scheme, method, excluded, other, smoothing, always);
  }

  /**
   * Before it quantizes, divides channels that reach far among what a layer reads and multiplies
   * its weights instead (SmoothQuant, Xiao et al. 2023), where the channels come from a
   * normalisation with gamma or a layer without activation but ReLU. In float32 the model stays the
   * same. For models whose error in int8 comes from few channels, as transformers'.
   *
   * @param alpha in [0, 1]: the share of the reach that goes to the weights; 0.5 is the usual one
   * @throws CremaException if it is none
   */
  public Quantizer withSmoothing(double alpha) {
    if (!(alpha >= 0 && alpha <= 1)) {
      throw new CremaException("alpha of smoothing must lie in [0, 1], got " + alpha);
    }
    return new Quantizer(scheme, method, excluded, device, alpha, always);
  }

  /** Has predictors compute dynamic, weight-only and fp8 layers so even where that is slower. */
  public Quantizer always() {
    return new Quantizer(scheme, method, excluded, device, smoothing, true);
  }

  /** How layers are quantized. */
  public QuantizationScheme scheme() {
    return scheme;
  }

  /**
   * A quantized copy of a model, which stays as it is; the caller closes it. Of a quantizer that
   * needs no examples.
   *
   * @throws CremaException if the quantizer is static or for fp8, no layer can be quantized, or a
   *     weight is not finite; the message names it
   */
  public Model quantize(Model model) {
    Objects.requireNonNull(model, "model");
    if (scheme.isCalibrated() || smoothing != null) {
      throw new CremaException(
          "Static quantization, fp8 and smoothing measure what layers read. Give them examples:"
              + " quantize(model, data).");
    }
    requireFloat(model);
    try (Model folded = BatchNormFolding.fold(model)) {
      return quantizeWeights(folded);
    }
  }

  private boolean isStatic() {
    return scheme.method() == QuantizationScheme.Method.STATIC;
  }

  private static void requireFloat(Model model) {
    if (model.quantization() != null) {
      throw new CremaException("This model is quantized already. Quantize the one it was made of.");
    }
  }

  private Model quantizeWeights(Model model) {
    Graph graph = new Graph();
    model.build(graph, false);
    Map<String, LayerQuantization> layers = new LinkedHashMap<>();
    for (String name : dense(model, graph).keySet()) {
      String kernel = Quantization.kernelOf(model.topology(), name);
      layers.put(name, new LayerQuantization(scheme, weightScales(model, kernel, scheme)));
    }
    return model.quantized(new Quantization(layers, always));
  }

  private Map<String, Application> dense(Model model, Graph graph) {
    return QuantizableLayers.dense(model.topology(), graph, scheme, excluded);
  }

  private Model quantizeToFp8(Model model, Dataset calibration) {
    Graph graph = new Graph();
    model.build(graph, false);
    Map<String, Application> found = dense(model, graph);
    Map<Node, String> inputs = new LinkedHashMap<>();
    found.forEach((name, a) -> inputs.putIfAbsent(a.input(0), name));
    Map<Node, QuantizationParameters> values =
        calibrate(model, graph, inputs, calibration, CalibrationRange::fp8);
    Map<String, LayerQuantization> layers = new LinkedHashMap<>();
    found.forEach(
        (name, a) -> {
          String kernel = Quantization.kernelOf(model.topology(), name);
          float[] scales = weightScales(model, kernel, scheme);
          QuantizationParameters input = values.get(a.input(0));
          layers.put(name, new LayerQuantization(scheme, List.of(input), scales));
        });
    return model.quantized(new Quantization(layers, always));
  }

  /**
   * A quantized copy of a model, which stays as it is; the caller closes it.
   *
   * @param calibration examples as the model will meet them, some hundred at least; all are read,
   *     by most methods twice, and once more to smooth; by one that is dynamic or of weights only
   *     none, unless it smooths
   * @throws CremaException if no layer can be quantized, the data does not fit the model or has no
   *     examples, or a weight, bias or activation is not finite; the message names it
   */
  public Model quantize(Model model, Dataset calibration) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(calibration, "calibration");
    try (Model prepared = prepared(model, calibration)) {
      return quantizePrepared(prepared, calibration);
    }
  }

  /** A copy whose float32 parameters are those that become bytes; the caller closes it. */
  Model prepared(Model model, Dataset calibration) {
    requireFloat(model);
    Model folded = BatchNormFolding.fold(model);
    if (smoothing == null) {
      return folded;
    }
    try (folded) {
      return Smoothing.smooth(folded, calibration, smoothing, excluded, device);
    }
  }

  /** Quantizes what {@link #prepared} gave. */
  Model quantizePrepared(Model model, Dataset calibration) {
    if (!scheme.isCalibrated()) {
      return quantizeWeights(model);
    }
    if (!isStatic()) {
      return quantizeToFp8(model, calibration);
    }
    Graph graph = new Graph();
    model.build(graph, false);
    Map<String, Application> found = QuantizableLayers.of(model.topology(), graph, excluded);
    Map<Node, String> read = new LinkedHashMap<>();
    found.forEach((name, a) -> QuantizableLayers.inputs(a).forEach(x -> read.putIfAbsent(x, name)));
    Map<Node, QuantizationParameters> values =
        calibrate(model, graph, read, calibration, CalibrationRange::bytes);
    Map<String, List<QuantizationParameters>> inputs = new LinkedHashMap<>();
    found.forEach(
        (name, a) ->
            inputs.put(name, QuantizableLayers.inputs(a).stream().map(values::get).toList()));
    return quantize(model, inputs);
  }

  /**
   * Quantizes layers of a model as they are.
   *
   * @param inputs what the layers read, by their names
   */
  static Model quantize(Model model, Map<String, List<QuantizationParameters>> inputs) {
    Map<String, LayerQuantization> layers = new LinkedHashMap<>();
    Map<String, float[]> shared = new LinkedHashMap<>();
    inputs.forEach(
        (name, x) -> {
          String kernel = Quantization.kernelOf(model.topology(), name);
          float[] scales = new float[0];
          if (kernel != null) {
            boolean rows = Quantization.hasScaledRows(kernel);
            scales = rows ? rowScales(model, kernel) : scales(model, kernel, x.get(0).scale());
            shared.merge(kernel, scales, Quantizer::greater);
          }
          layers.put(name, new LayerQuantization(x, scales));
        });
    layers.replaceAll((name, q) -> shared(model, name, q, shared));
    return model.quantized(new Quantization(layers));
  }

  /** With the scales that all places of its kernel can use. */
  private static LayerQuantization shared(
      Model model, String name, LayerQuantization q, Map<String, float[]> scales) {
    String kernel = Quantization.kernelOf(model.topology(), name);
    return kernel == null ? q : new LayerQuantization(q.inputs(), scales.get(kernel));
  }

  /** How what the layers read becomes bytes: each value once, whoever reads it. */
  private Map<Node, QuantizationParameters> calibrate(
      Model model,
      Graph graph,
      Map<Node, String> inputs,
      Dataset calibration,
      Function<CalibrationRange, QuantizationParameters> parametersOf) {
    Map<Node, QuantizationParameters> parameters = new LinkedHashMap<>();
    if (inputs.isEmpty()) { // embeddings alone
      return parameters;
    }
    try (CalibrationRun run = new CalibrationRun(model, graph, inputs, calibration, device)) {
      run.ranges(method).forEach((x, range) -> parameters.put(x, parametersOf.apply(range)));
    }
    return parameters;
  }

  private static float[] greater(float[] a, float[] b) {
    for (int i = 0; i < a.length; i++) {
      a[i] = Math.max(a[i], b[i]);
    }
    return a;
  }

  /** A scale for each row: its greatest number is 127 steps. */
  private static float[] rowScales(Model model, String table) {
    float[] numbers = model.get(table);
    int columns = (int) model.table().get(table).type().extent(-1);
    int most = QuantizationScheme.STATIC.most();
    float[] scales = new float[numbers.length / columns];
    for (int i = 0; i < numbers.length; i++) {
      requireFinite(table, numbers[i]);
      scales[i / columns] = Math.max(scales[i / columns], Math.abs(numbers[i]));
    }
    for (int r = 0; r < scales.length; r++) {
      scales[r] = scales[r] == 0 ? 1 : Math.max(scales[r] / most, Float.MIN_NORMAL);
    }
    return scales;
  }

  /** A scale for each output, whose products with the input's scale a bias fits as int32. */
  private static float[] scales(Model model, String kernel, float inputScale) {
    float[] most = weightScales(model, kernel, QuantizationScheme.STATIC);
    String bias = kernel.substring(0, kernel.lastIndexOf('/')) + "/bias";
    float[] biases = model.table().get(bias) == null ? new float[most.length] : model.get(bias);
    for (int j = 0; j < most.length; j++) {
      requireFinite(bias, biases[j]);
      float least = Math.max(LEAST_PRODUCT, Math.abs(biases[j]) / MOST_BIAS) / inputScale;
      most[j] = Math.max(most[j], Math.max(least, LEAST_PRODUCT));
      if (!Float.isFinite(most[j] * inputScale)) {
        throw new CremaException(
            kernel
                + ": the products of its weights and inputs are beyond float32. Scale the inputs"
                + " down.");
      }
    }
    return most;
  }

  /**
   * Scales of which the greatest weight of each group is so many as the scheme has; 1 for zeros.
   */
  private static float[] weightScales(Model model, String kernel, QuantizationScheme scheme) {
    TensorType type = model.table().get(kernel).type();
    int units = (int) type.extent(-1);
    float[] weights = model.get(kernel);
    int rows = scheme.groupSize() == 0 ? Math.max(1, weights.length / units) : scheme.groupSize();
    int groups = (weights.length / units + rows - 1) / rows;
    float[] most = new float[groups * units];
    for (int i = 0; i < weights.length; i++) {
      requireFinite(kernel, weights[i]);
      int at = i / units / rows * units + i % units;
      most[at] = Math.max(most[at], Math.abs(weights[i]));
    }
    for (int j = 0; j < most.length; j++) {
      float scale = most[j] == 0 ? 1 : Math.max(most[j] / scheme.most(), LEAST_PRODUCT);
      most[j] = Float.isFinite(scale * scheme.most()) ? scale : Math.nextDown(scale);
    }
    return most;
  }

  private static void requireFinite(String path, float value) {
    if (!Float.isFinite(value)) {
      throw new CremaException(
          path + " holds " + value + "; a model with such parameters cannot be quantized");
    }
  }
}
