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
import dev.crema.nn.Concat;
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
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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

  /** Whose channel each element of the last axis is, at one place of the model, and which. */
  private static final class Channels {
    private final ChannelGroup[] groups;
    private final int[] channels;

    private Channels(ChannelGroup[] groups, int... channels) {
      this.groups = groups;
      this.channels = channels;
    }

    static Channels of(ChannelGroup group, int count) {
      ChannelGroup[] groups = new ChannelGroup[count];
      Arrays.fill(groups, group);
      return new Channels(groups, ChannelGroup.each(count));
    }

    /** Those of several, behind one another. */
    static Channels joined(List<Channels> all) {
      return new Channels(
          all.stream().flatMap(c -> Arrays.stream(c.groups)).toArray(ChannelGroup[]::new),
          all.stream().flatMapToInt(c -> Arrays.stream(c.channels)).toArray());
    }

    int count() {
      return channels.length;
    }

    Set<ChannelGroup> groups() {
      return Arrays.stream(groups)
          .map(ChannelGroup::whole)
          .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** Which channel of a group each element is; -1: of another. */
    int[] of(ChannelGroup whole) {
      return IntStream.range(0, channels.length)
          .map(i -> groups[i].whole() == whole ? channels[i] : -1)
          .toArray();
    }

    void stay(String why) {
      groups().forEach(group -> group.stays(why));
    }

    /** Ties those of two places that an element-wise layer merges; false: they differ in kind. */
    boolean merge(Channels other, String by) {
      if (!Arrays.equals(channels, other.channels)) {
        return false;
      }
      for (int i = 0; i < groups.length; i++) {
        groups[i].whole().merge(other.groups[i], by);
      }
      return true;
    }
  }

  private final Topology topology;
  private final Map<String, Node> values;
  private final Map<String, Channels> given = new HashMap<>();
  private final List<ChannelGroup> made = new ArrayList<>();

  ChannelFlow(Model model) {
    this.topology = model.topology();
    this.values = model.build(new Graph(), false).values();
  }

  List<ChannelGroup> groups() {
    for (Topology.InputSpec x : topology.inputs()) {
      given.put(x.name(), fixed(width(x.type()), "'" + x.name() + "' is an input of the model"));
    }
    topology.places().forEach(place -> given.put(place.name(), after(place)));
    topology.outputs().forEach(y -> given.get(y).stay("'" + y + "' is an output of the model"));
    Set<ChannelGroup> whole = new LinkedHashSet<>();
    made.forEach(group -> whole.add(group.whole()));
    List<String> order = topology.places().stream().map(Topology.Place::name).toList();
    whole.forEach(group -> group.layers().sort(Comparator.comparingInt(order::indexOf)));
    return List.copyOf(whole);
  }

  private static Channels fixed(int count, String why) {
    ChannelGroup all = new ChannelGroup();
    all.stays(why);
    return Channels.of(all, count);
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
      first.groups().forEach(group -> group.normalizations().put(place.name(), first.of(group)));
      return first;
    }
    if (layer instanceof Flatten) {
      return Channels.joined(Collections.nCopies(width(place) / first.count(), first));
    }
    if (layer instanceof Concat concat && isLast(concat.axis(), place)) {
      return Channels.joined(place.inputs().stream().map(given::get).toList());
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
      x.groups().forEach(group -> group.readers().put(place.name(), x.of(group)));
    } else {
      x.stay(read);
    }
    ChannelGroup own = new ChannelGroup();
    own.layers().add(place.name());
    if (gives != null) {
      own.stays(gives);
    }
    made.add(own);
    return Channels.of(own, width(place));
  }

  /** Behind what does not keep channels apart, or not those that are 0. */
  private Channels mixed(Topology.Place place, String why) {
    place.inputs().forEach(input -> given.get(input).stay(why));
    return fixed(width(place), "they come from '" + place.name() + "'");
  }

  /** Behind what merges inputs of one shape. */
  private Channels merged(Topology.Place place) {
    Channels first = given.get(place.inputs().get(0));
    for (String input : place.inputs()) {
      if (!first.merge(given.get(input), place.name())) {
        return mixed(place, "'" + place.name() + "' merges them with others than channels");
      }
    }
    return first;
  }

  /** Elements of the last axis of what a layer gives. */
  private int width(Topology.Place place) {
    return width(values.get(place.name()).type());
  }

  private static int width(TensorType type) {
    return Math.toIntExact(type.extent(-1));
  }

  private boolean isLast(int axis, Topology.Place place) {
    return axis == -1 || axis == values.get(place.name()).type().rank() - 1;
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
