package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.nn.Conv1d;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Embedding;
import dev.crema.nn.Layer;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.nn.Topology;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A parameter that is pruned.
 *
 * @param followers parameters with an element for each of its columns, which go with those: the
 *     bias of a channel and what normalises it
 */
record Prunable(Parameter parameter, List<Parameter> followers) {
  /** The kernels of a model but for those of excluded layers, and what is included by its path. */
  static List<Prunable> of(
      Model model, boolean channels, Set<String> excluded, Set<String> included) {
    requireKnown(model, excluded, included);
    Map<String, ChannelPath> paths = channels ? ChannelPath.of(model) : Map.of();
    List<Prunable> all = new ArrayList<>();
    for (Topology.Place place : model.topology().places()) {
      boolean owner = place.weights().equals(place.name());
      if (!owner || excluded.contains(place.name())) {
        continue;
      }
      for (Parameter p : parameters(model, place.name())) {
        boolean kernel = p.type().rank() >= 2 && !(place.layer() instanceof Embedding);
        ChannelPath path = kernel ? paths.get(place.name()) : null;
        if (path != null && path.problem() == null) {
          all.add(new Prunable(p, followers(model, place.name(), path)));
        } else if (included.contains(p.path()) || kernel && !channels) {
          all.add(new Prunable(p, List.of()));
        }
      }
    }
    return all;
  }

  static String layer(Parameter p) {
    return p.path().substring(0, p.path().lastIndexOf('/'));
  }

  private static List<Parameter> parameters(Model model, String layer) {
    return model.table().all().stream()
        .filter(p -> p.isTrained() && layer(p).equals(layer))
        .toList();
  }

  private static void requireKnown(Model model, Set<String> excluded, Set<String> included) {
    Set<String> layers = new LinkedHashSet<>();
    model.table().all().stream().filter(Parameter::isTrained).forEach(p -> layers.add(layer(p)));
    for (String name : excluded) {
      if (!layers.contains(name)) {
        throw new CremaException(
            "There is no layer '" + name + "' to exclude from pruning; there are " + layers);
      }
    }
    for (String path : included) {
      Parameter p = model.table().get(path);
      if (p == null || !p.isTrained()) {
        throw new CremaException(
            "There is no parameter '"
                + path
                + "' to prune; there are "
                + model.table().all().stream()
                    .filter(Parameter::isTrained)
                    .map(Parameter::path)
                    .toList());
      }
    }
  }

  /** Layers whose columns are channels that later layers read. */
  static boolean isChannelled(Layer layer) {
    return layer instanceof Dense || layer instanceof Conv1d || layer instanceof Conv2d;
  }

  /**
   * The layers with weights behind which no other stands: their channels are the model's answers.
   */
  static Set<String> givingOutputs(Topology topology) {
    Set<String> wanted = new HashSet<>(topology.outputs());
    Set<String> giving = new HashSet<>();
    List<Topology.Place> places = topology.places();
    for (int i = places.size() - 1; i >= 0; i--) {
      Topology.Place place = places.get(i);
      if (wanted.contains(place.name())) {
        if (isChannelled(place.layer())) {
          giving.add(place.weights());
        } else {
          wanted.addAll(place.inputs());
        }
      }
    }
    return giving;
  }

  private static List<Parameter> followers(Model model, String layer, ChannelPath path) {
    List<Parameter> all = new ArrayList<>();
    Parameter bias = model.table().get(layer + "/bias");
    if (bias != null) {
      all.add(bias);
    }
    path.normalizations().forEach(norm -> all.addAll(parameters(model, norm)));
    return all;
  }
}
