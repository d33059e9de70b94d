package dev.crema.compress;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.AveragePool1d;
import dev.crema.nn.AveragePool2d;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv1d;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Dropout;
import dev.crema.nn.Flatten;
import dev.crema.nn.GlobalAveragePool;
import dev.crema.nn.GlobalMaxPool;
import dev.crema.nn.Layer;
import dev.crema.nn.MaxPool1d;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.Topology;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where the channels of a layer go, up to the layer that reads them: whether they stay apart, and
 * those that are 0 stay 0.
 */
final class ChannelPath {
  private static final Set<Activation> KEEP_ZERO =
      Set.of(
          Activation.LINEAR,
          Activation.RELU,
          Activation.LEAKY_RELU,
          Activation.ELU,
          Activation.SELU,
          Activation.GELU,
          Activation.GELU_TANH,
          Activation.SILU,
          Activation.TANH,
          Activation.HARD_SWISH);

  private final Topology topology;
  private final Map<String, Node> values;
  private final String start;
  private final List<String> normalizations = new ArrayList<>();
  private int places = 1; // that each channel has in what the reader gets: more than 1 once flat
  private String reader;
  private String problem;

  private ChannelPath(Topology topology, Map<String, Node> values, String start) {
    this.topology = topology;
    this.values = values;
    this.start = start;
  }

  /** Those of all layers with channels but those that give the model's answers, by layer. */
  static Map<String, ChannelPath> of(Model model) {
    Topology topology = model.topology();
    Set<String> answering = Prunable.givingOutputs(topology);
    Map<String, Node> values = model.build(new Graph(), false).values();
    Map<String, ChannelPath> paths = new LinkedHashMap<>();
    for (Topology.Place place : topology.places()) {
      if (Prunable.isChannelled(place.layer()) && !answering.contains(place.weights())) {
        ChannelPath path = new ChannelPath(topology, values, place.name());
        path.walk();
        paths.put(place.name(), path);
      }
    }
    return paths;
  }

  /** The batch normalisations on the way, which have an element for each channel. */
  List<String> normalizations() {
    return normalizations;
  }

  /** The layer that reads the channels. */
  String reader() {
    return reader;
  }

  /** Why channels cannot be taken out, or null. */
  String problem() {
    return problem;
  }

  /** Which inputs of the reader stay. */
  boolean[] inputsOf(boolean... channels) {
    boolean[] kept = new boolean[places * channels.length];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = channels[i % channels.length];
    }
    return kept;
  }

  private void walk() {
    Topology.Place at = place(start);
    if (isShared(at)) {
      problem = "it shares its weights with another layer";
      return;
    }
    if (isGrouped(at.layer())) {
      problem = "each group of its filters reads channels of its own";
      return;
    }
    if (!keepsZero(at.layer())) {
      problem = "its activation does not map 0 to 0";
      return;
    }
    while (reader == null && problem == null) {
      String here = at.name();
      List<Topology.Place> readers =
          topology.places().stream().filter(p -> p.inputs().contains(here)).toList();
      boolean output = topology.outputs().contains(here);
      at = readers.isEmpty() ? at : readers.get(0);
      if (readers.size() != 1 || output) {
        problem =
            "'"
                + here
                + "' is read at "
                + readers.stream().map(Topology.Place::name).toList()
                + (output ? " and as an output of the model" : "")
                + ", not at one place";
      } else {
        step(here, at);
      }
    }
  }

  private void step(String before, Topology.Place at) {
    Layer layer = at.layer();
    if (at.inputs().size() > 1) {
      problem = "'" + at.name() + "' merges them with other channels";
    } else if (isShared(at)) {
      problem = "'" + at.name() + "' shares its weights with another layer";
    } else if (isGrouped(layer)) {
      problem = "each group of the filters of '" + at.name() + "' reads channels of its own";
    } else if (Prunable.isChannelled(layer)) {
      reader = at.name();
    } else if (layer instanceof BatchNorm norm && norm.scale() && norm.center()) {
      normalizations.add(at.name());
    } else if (layer instanceof Flatten) {
      TensorType type = values.get(before).type();
      places *= Math.toIntExact(type.elements().perExample() / type.extent(-1));
    } else if (!keepsZero(layer)) {
      problem =
          "'" + at.name() + "' (" + layer.getClass().getSimpleName() + ") behind it may not keep 0";
    }
  }

  private static boolean isGrouped(Layer layer) {
    return layer instanceof Conv1d c && c.groups() > 1
        || layer instanceof Conv2d d && d.groups() > 1;
  }

  private static boolean keepsZero(Layer layer) {
    if (layer instanceof Dense d) {
      return KEEP_ZERO.contains(d.activation());
    }
    if (layer instanceof Conv1d c) {
      return KEEP_ZERO.contains(c.activation());
    }
    if (layer instanceof Conv2d c) {
      return KEEP_ZERO.contains(c.activation());
    }
    return layer instanceof Activate a && KEEP_ZERO.contains(a.activation())
        || layer instanceof Dropout
        || layer instanceof MaxPool1d
        || layer instanceof MaxPool2d
        || layer instanceof AveragePool1d
        || layer instanceof AveragePool2d
        || layer instanceof GlobalAveragePool
        || layer instanceof GlobalMaxPool;
  }

  private Topology.Place place(String name) {
    return topology.places().stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
  }

  private boolean isShared(Topology.Place place) {
    return topology.places().stream().filter(p -> p.weights().equals(place.weights())).count() > 1;
  }
}
