package dev.crema.compress;

import dev.crema.nn.Activation;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv1d;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.DepthwiseConv2d;
import dev.crema.nn.Layer;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.nn.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Folds batch normalisation, as it predicts, into the layer before it (Jacob et al. 2018): kernel'
 * = kernel · s, bias' = (bias - mean) · s + beta, with s = gamma / √(variance + epsilon) for each
 * output.
 */
public final class BatchNormFolding {
  private BatchNormFolding() {}

  /**
   * A copy of a model without the normalisations that stand behind a dense layer or a convolution
   * whose linear output only they read. Others stay, and so do those whose layer or parameters are
   * shared by several places or that are outputs of the model. The caller closes it.
   */
  public static Model fold(Model model) {
    Objects.requireNonNull(model, "model");
    Topology topology = model.topology();
    Map<String, Topology.Place> folded = new LinkedHashMap<>(); // normalisations by layers' names
    for (Topology.Place place : topology.places()) {
      if (place.layer() instanceof BatchNorm && canFold(topology, place)) {
        folded.put(place.inputs().get(0), place);
      }
    }
    if (folded.isEmpty()) {
      return model.copy();
    }
    Model copy = Model.of(without(topology, folded), 0);
    try {
      copy.metadata().setAll(model.metadata().deepCopy());
      for (Parameter p : model.table().all()) {
        if (copy.table().get(p.path()) != null) {
          copy.set(p.path(), model.get(p.path()));
        }
      }
      folded.forEach((layer, norm) -> fold(model, layer, norm, copy));
      model.masks().paths().forEach(path -> keepMask(model, path, copy));
      return copy;
    } catch (RuntimeException | Error e) {
      copy.close();
      throw e;
    }
  }

  private static boolean canFold(Topology topology, Topology.Place norm) {
    String name = norm.inputs().get(0);
    Topology.Place layer =
        topology.places().stream().filter(p -> p.name().equals(name)).findFirst().orElse(null);
    return layer != null
        && withBias(layer.layer()) != null
        && isAlone(topology, layer)
        && isAlone(topology, norm)
        && !topology.outputs().contains(name)
        && !topology.outputs().contains(norm.name())
        && topology.places().stream().filter(p -> p.inputs().contains(name)).count() == 1;
  }

  /** Whether no other place uses the same parameters. */
  private static boolean isAlone(Topology topology, Topology.Place place) {
    return topology.places().stream().filter(p -> p.weights().equals(place.weights())).count() == 1;
  }

  /** The layer with a bias; null if a normalisation cannot be folded into it. */
  private static Layer withBias(Layer layer) {
    if (layer instanceof Dense l && l.activation() == Activation.LINEAR) {
      return l.withBias();
    }
    if (layer instanceof Conv2d l && l.activation() == Activation.LINEAR) {
      return l.withBias();
    }
    if (layer instanceof Conv1d l && l.activation() == Activation.LINEAR) {
      return l.withBias();
    }
    return layer instanceof DepthwiseConv2d l && l.activation() == Activation.LINEAR
        ? l.withBias()
        : null;
  }

  private static Topology without(Topology topology, Map<String, Topology.Place> folded) {
    Map<String, String> instead = new LinkedHashMap<>();
    folded.forEach((layer, norm) -> instead.put(norm.name(), layer));
    List<Topology.Place> places = new ArrayList<>();
    for (Topology.Place p : topology.places()) {
      if (!instead.containsKey(p.name())) {
        Layer layer = folded.containsKey(p.name()) ? withBias(p.layer()) : p.layer();
        List<String> inputs = p.inputs().stream().map(x -> instead.getOrDefault(x, x)).toList();
        places.add(new Topology.Place(p.name(), layer, p.weights(), inputs));
      }
    }
    return new Topology(topology.inputs(), places, topology.outputs());
  }

  private static void fold(Model from, String layer, Topology.Place norm, Model to) {
    String path = norm.weights() + "/";
    float[] mean = from.get(path + "running_mean");
    float[] variance = from.get(path + "running_variance");
    float[] gamma = values(from, path + "gamma", mean.length, 1);
    float[] beta = values(from, path + "beta", mean.length, 0);
    float[] bias = values(from, layer + "/bias", mean.length, 0);
    float[] kernel = from.get(layer + "/kernel");
    double epsilon = ((BatchNorm) norm.layer()).epsilon();
    double[] scale = new double[mean.length];
    for (int j = 0; j < scale.length; j++) {
      scale[j] = gamma[j] / Math.sqrt(variance[j] + epsilon);
      bias[j] = (float) ((bias[j] - (double) mean[j]) * scale[j] + beta[j]);
    }
    for (int i = 0; i < kernel.length; i++) {
      kernel[i] = (float) (kernel[i] * scale[i % scale.length]);
    }
    to.set(layer + "/kernel", kernel);
    to.set(layer + "/bias", bias);
  }

  /** Keeps what is pruned as far as it is 0 yet: a bias that took a mean is not. */
  private static void keepMask(Model from, String path, Model to) {
    if (to.table().get(path) == null) {
      return; // of a normalisation that is gone
    }
    boolean[] kept = from.masks().get(path);
    float[] values = to.get(path);
    for (int i = 0; i < kept.length; i++) {
      kept[i] |= values[i] != 0;
    }
    to.masks().set(path, kept);
  }

  private static float[] values(Model model, String path, int count, float otherwise) {
    if (model.table().get(path) != null) {
      return model.get(path);
    }
    float[] values = new float[count];
    Arrays.fill(values, otherwise);
    return values;
  }
}
