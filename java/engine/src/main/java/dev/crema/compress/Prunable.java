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
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is pruned as a whole: a parameter, or the kernels of layers whose channels can only go
 * together.
 *
 * @param parameters of as many columns each
 * @param followers parameters that go with those columns, biases of channels and what normalises
 *     them, and which column each of their elements belongs to; -1: to none
 */
record Prunable(List<Parameter> parameters, Map<Parameter, int[]> followers) {
  /** The kernels of a model but for those of excluded layers, and what is included by its path. */
  static List<Prunable> of(
      Model model, boolean channels, Set<String> excluded, Set<String> included) {
    requireKnown(model, excluded, included);
    List<Prunable> all = new ArrayList<>();
    if (channels) {
      for (ChannelGroup group : ChannelGroup.of(model)) {
        if (group.problem() == null && group.layers().stream().noneMatch(excluded::contains)) {
          all.add(ofChannels(model, group));
        }
      }
    }
    for (Topology.Place place : model.topology().places()) {
      boolean owner = place.weights().equals(place.name());
      if (!owner || excluded.contains(place.name())) {
        continue;
      }
      for (Parameter p : parameters(model, place.name())) {
        boolean kernel = p.type().rank() >= 2 && !(place.layer() instanceof Embedding);
        boolean wanted = included.contains(p.path()) || kernel && !channels;
        if (wanted && all.stream().noneMatch(each -> each.parameters().contains(p))) {
          all.add(new Prunable(List.of(p), Map.of()));
        }
      }
    }
    return all;
  }

  private static Prunable ofChannels(Model model, ChannelGroup group) {
    List<Parameter> kernels = new ArrayList<>();
    Map<Parameter, int[]> followers = new LinkedHashMap<>();
    for (String layer : group.layers()) {
      kernels.add(model.table().get(layer + "/kernel"));
      Parameter bias = model.table().get(layer + "/bias");
      if (bias != null) {
        followers.put(bias, ChannelGroup.each(Math.toIntExact(bias.elements())));
      }
    }
    group
        .normalizations()
        .forEach((norm, of) -> parameters(model, norm).forEach(p -> followers.put(p, of)));
    return new Prunable(kernels, followers);
  }

  int elements() {
    return Math.toIntExact(parameters.stream().mapToLong(Parameter::elements).sum());
  }

  int columns() {
    Parameter first = parameters.get(0);
    return first.type().rank() == 0 ? 1 : Math.toIntExact(first.type().extent(-1));
  }

  /** What of all its parameters, behind one another as rows of one matrix, is pruned as one. */
  Units units(Pattern pattern) {
    return Units.of(pattern, elements() / Math.max(1, columns()), columns());
  }

  /** The layers of its parameters, in the model's order. */
  List<String> layers() {
    return parameters.stream().map(Prunable::layer).distinct().toList();
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
}
