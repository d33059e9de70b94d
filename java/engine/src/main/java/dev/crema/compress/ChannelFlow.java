package dev.crema.compress;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.Average;
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
import dev.crema.nn.Maximum;
import dev.crema.nn.Model;
import dev.crema.nn.Multiply;
import dev.crema.nn.Subtract;
import dev.crema.nn.Topology;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Follows the channels of all layers of a model to those that read them: which are tied to one
 * another, and whether they stay apart and those that are 0 stay 0.
 */
final class ChannelFlow {
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

  /**
   * Channels at one place of the model.
   *
   * @param places that each has in the last axis there: more than 1 once it is flat
   */
  private record Channels(ChannelGroup group, int places) {}

  private final Topology topology;
  private final Map<String, Node> values;
  private final Map<String, Channels> given = new HashMap<>();
  private final List<ChannelGroup> made = new ArrayList<>();

  ChannelFlow(Model model) {
    this.topology = model.topology();
    this.values = model.build(new Graph(), false).values();
  }

  List<ChannelGroup> groups() {
    topology
        .inputs()
        .forEach(x -> given.put(x.name(), fixed("'" + x.name() + "' is an input of the model")));
    topology.places().forEach(place -> given.put(place.name(), after(place)));
    topology
        .outputs()
        .forEach(y -> given.get(y).group().stays("'" + y + "' is an output of the model"));
    Set<ChannelGroup> whole = new LinkedHashSet<>();
    made.forEach(group -> whole.add(group.whole()));
    List<String> order = topology.places().stream().map(Topology.Place::name).toList();
    whole.forEach(group -> group.layers().sort(Comparator.comparingInt(order::indexOf)));
    return List.copyOf(whole);
  }

  private Channels fixed(String why) {
    Channels all = new Channels(new ChannelGroup(), 1);
    all.group().stays(why);
    return all;
  }

  /** What a layer gives. */
  private Channels after(Topology.Place place) {
    String name = "'" + place.name() + "'";
    Layer layer = place.layer();
    Channels first = given.get(place.inputs().get(0));
    if ((Prunable.isChannelled(layer) || layer instanceof BatchNorm) && isShared(place)) {
      String why = name + " shares its weights with another layer";
      return Prunable.isChannelled(layer) ? ofLayer(place, why, why) : mixed(place, why);
    }
    if (Prunable.isChannelled(layer)) {
      String groups = "each group of the filters of " + name + " reads channels of its own";
      String activation = "the activation of " + name + " does not map 0 to 0";
      return isGrouped(layer)
          ? ofLayer(place, groups, groups)
          : ofLayer(place, null, keepsZero(layer) ? null : activation);
    }
    if (layer instanceof BatchNorm norm && norm.scale() && norm.center()) {
      first.group().whole().normalizations().put(place.name(), first.places());
      return first;
    }
    if (layer instanceof Flatten) {
      return new Channels(first.group(), first.places() * pixels(place.inputs().get(0)));
    }
    if (isElementwise(layer)) {
      return merged(place);
    }
    return keepsZero(layer)
        ? first
        : mixed(
            place, name + " (" + layer.getClass().getSimpleName() + ") behind it may not keep 0");
  }

  /**
   * @param read why what it reads stays; null: it does not
   * @param gives why what it gives stays
   */
  private Channels ofLayer(Topology.Place place, String read, String gives) {
    Channels x = given.get(place.inputs().get(0));
    if (read == null) {
      x.group().whole().readers().put(place.name(), x.places());
    } else {
      x.group().stays(read);
    }
    ChannelGroup own = new ChannelGroup();
    own.layers().add(place.name());
    if (gives != null) {
      own.stays(gives);
    }
    made.add(own);
    return new Channels(own, 1);
  }

  /** Behind what does not keep channels apart, or not those that are 0. */
  private Channels mixed(Topology.Place place, String why) {
    place.inputs().forEach(input -> given.get(input).group().stays(why));
    return fixed("they come from '" + place.name() + "'");
  }

  /** Behind what merges inputs of one shape. */
  private Channels merged(Topology.Place place) {
    Channels first = given.get(place.inputs().get(0));
    for (String input : place.inputs()) {
      Channels other = given.get(input);
      if (other.places() != first.places()) {
        return mixed(place, "'" + place.name() + "' merges them with others than channels");
      }
      first.group().whole().merge(other.group(), place.name());
    }
    return first;
  }

  /** How many places a channel of that has. */
  private int pixels(String input) {
    Node node = values.get(input);
    if (node == null) {
      return 1; // an input of the model, which stays
    }
    TensorType type = node.type();
    return Math.toIntExact(type.elements().perExample() / type.extent(-1));
  }

  private boolean isShared(Topology.Place place) {
    return topology.places().stream().filter(p -> p.weights().equals(place.weights())).count() > 1;
  }

  private static boolean isGrouped(Layer layer) {
    return layer instanceof Conv1d c && c.groups() > 1
        || layer instanceof Conv2d d && d.groups() > 1;
  }

  private static boolean isElementwise(Layer layer) {
    return layer instanceof Add
        || layer instanceof Subtract
        || layer instanceof Average
        || layer instanceof Maximum
        || layer instanceof Multiply;
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
}
