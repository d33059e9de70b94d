package dev.crema.compress;

import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Dropout;
import dev.crema.nn.Flatten;
import dev.crema.nn.GroupNorm;
import dev.crema.nn.Layer;
import dev.crema.nn.LayerNorm;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.RmsNorm;
import dev.crema.nn.Topology;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Moves the reach of some channels from what layers read to their kernels (SmoothQuant, Xiao et al.
 * 2023), since one scale for all channels of an input makes those that reach less coarse. Channel j
 * is divided by s_j = max|x_j|^alpha / max|w_j|^(1 - alpha), in the parameters of the normalisation
 * or layer that gives it, and multiplied by it in the kernels that read it. s_j is rounded to a
 * power of two: in float32 the model predicts the same bits.
 */
final class Smoothing {
  /** Rows of zeros count as a thousandth of the greatest weight. */
  private static final float LEAST_WEIGHT = 0x1p-10f;

  private static final int MOST_EXPONENT = 30; // far from what counts as 0

  private final Model model;
  private final Topology topology;
  private final Map<String, Application> quantized;
  private final double alpha;

  private Smoothing(Model model, Map<String, Application> quantized, double alpha) {
    this.model = model;
    this.topology = model.topology();
    this.quantized = quantized;
    this.alpha = alpha;
  }

  /**
   * A smoothed copy of a model; the caller closes it.
   *
   * @param calibration what the channels' reach is measured on
   * @param alpha in [0, 1]: how much of the reach goes to the kernels
   * @param excluded layers that will not be quantized
   */
  static Model smooth(
      Model model, Dataset calibration, double alpha, Set<String> excluded, Device device) {
    Graph graph = new Graph();
    model.build(graph, false);
    Map<String, Application> found = QuantizableLayers.of(model.topology(), graph, excluded);
    Smoothing smoothing = new Smoothing(model, found, alpha);
    Map<Topology.Place, List<Topology.Place>> sources = smoothing.sources();
    if (sources.isEmpty()) {
      return model.copy();
    }
    Map<Node, String> values = new LinkedHashMap<>();
    sources.values().stream()
        .flatMap(List::stream)
        .filter(p -> found.containsKey(p.name()))
        .forEach(p -> values.putIfAbsent(found.get(p.name()).input(0), p.name()));
    Map<Node, float[]> reach;
    try (CalibrationRun run = new CalibrationRun(model, graph, values, calibration, device)) {
      reach = run.channelMaxima();
    }
    Model copy = model.copy();
    try {
      sources.forEach((source, readers) -> smoothing.smooth(copy, source, readers, reach));
      return copy;
    } catch (RuntimeException | Error e) {
      copy.close();
      throw e;
    }
  }

  /** Places whose channels can be divided, each with the layers that will multiply. */
  private Map<Topology.Place, List<Topology.Place>> sources() {
    Map<Topology.Place, List<Topology.Place>> sources = new LinkedHashMap<>();
    for (Topology.Place place : topology.places()) {
      List<Topology.Place> readers = new ArrayList<>();
      boolean fits = isDivisible(place) && isAlone(place) && findReaders(place.name(), readers);
      if (fits && readers.stream().anyMatch(p -> quantized.containsKey(p.name()))) {
        sources.put(place, readers);
      }
    }
    return sources;
  }

  /** Whether dividing parameters of the layer divides the channels that it gives. */
  private boolean isDivisible(Topology.Place place) {
    Layer layer = place.layer();
    if (layer instanceof Dense l) {
      return isHomogeneous(l.activation());
    }
    if (layer instanceof Conv2d l) {
      return isHomogeneous(l.activation());
    }
    boolean norm =
        layer instanceof LayerNorm
            || layer instanceof RmsNorm
            || layer instanceof BatchNorm
            || layer instanceof GroupNorm;
    return norm && model.table().get(place.weights() + "/gamma") != null;
  }

  private static boolean isHomogeneous(Activation activation) {
    return activation == Activation.LINEAR || activation == Activation.RELU;
  }

  private boolean isAlone(Topology.Place place) {
    return topology.places().stream().filter(p -> p.weights().equals(place.weights())).count() == 1;
  }

  /** Adds the layers that read a value; false if one of its readers could not multiply it. */
  private boolean findReaders(String value, List<Topology.Place> readers) {
    if (topology.outputs().contains(value)) {
      return false;
    }
    for (Topology.Place p : topology.places()) {
      if (!p.inputs().contains(value)) {
        continue;
      }
      boolean multiplies = p.layer() instanceof Dense || p.layer() instanceof Conv2d c && ofOne(c);
      if (multiplies && isAlone(p)) {
        readers.add(p);
      } else if (!keepsFactors(p.layer()) || !findReaders(p.name(), readers)) {
        return false;
      }
    }
    return true;
  }

  private static boolean ofOne(Conv2d layer) {
    return layer.groups() == 1;
  }

  /** Whether a channel that is divided before the layer is divided behind it. */
  private static boolean keepsFactors(Layer layer) {
    return layer instanceof Activate a && isHomogeneous(a.activation())
        || layer instanceof Dropout
        || layer instanceof MaxPool2d
        || layer instanceof Flatten; // channels remain the last in turn
  }

  private void smooth(
      Model copy,
      Topology.Place source,
      List<Topology.Place> readers,
      Map<Node, float[]> measured) {
    boolean norm = model.table().get(source.weights() + "/gamma") != null;
    String scaled = source.weights() + (norm ? "/gamma" : "/kernel");
    int channels = (int) model.table().get(scaled).type().extent(-1);
    float[] reach = new float[channels];
    float[] weights = new float[channels];
    float most = 0;
    for (Topology.Place reader : readers) {
      if (quantized.containsKey(reader.name())) {
        float[] x = measured.get(quantized.get(reader.name()).input(0));
        for (int i = 0; i < x.length; i++) {
          reach[i % channels] = Math.max(reach[i % channels], x[i]);
        }
      }
      float[] kernel = copy.get(reader.weights() + "/kernel");
      int units = units(reader);
      for (int i = 0; i < kernel.length; i++) {
        int j = i / units % channels;
        weights[j] = Math.max(weights[j], Math.abs(kernel[i]));
        most = Math.max(most, weights[j]);
      }
    }
    float[] factors = new float[channels];
    for (int j = 0; j < channels; j++) {
      factors[j] = factor(reach[j], Math.max(weights[j], most * LEAST_WEIGHT));
    }
    divide(copy, scaled, factors);
    divide(copy, source.weights() + (norm ? "/beta" : "/bias"), factors);
    for (Topology.Place reader : readers) {
      String path = reader.weights() + "/kernel";
      float[] kernel = copy.get(path);
      int units = units(reader);
      for (int i = 0; i < kernel.length; i++) {
        kernel[i] *= factors[i / units % channels];
      }
      copy.set(path, kernel);
    }
  }

  private int units(Topology.Place product) {
    return (int) model.table().get(product.weights() + "/kernel").type().extent(-1);
  }

  /** The power of two next to s; 1 where the channel or its weights are 0 or not finite. */
  private float factor(float reach, float weight) {
    double exponent = alpha * Math.log(reach) - (1 - alpha) * Math.log(weight);
    if (!(reach > 0 && weight > 0) || !Double.isFinite(exponent)) {
      return 1;
    }
    long nearest = Math.round(exponent / Math.log(2));
    return Math.scalb(1f, (int) Math.max(-MOST_EXPONENT, Math.min(MOST_EXPONENT, nearest)));
  }

  /** Divides the last axis of a parameter, if the model has it. */
  private static void divide(Model copy, String path, float[] factors) {
    if (copy.table().get(path) == null) {
      return;
    }
    float[] values = copy.get(path);
    for (int i = 0; i < values.length; i++) {
      values[i] /= factors[i % factors.length];
    }
    copy.set(path, values);
  }
}
