package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.nn.Conv1d;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
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
import java.util.Set;

/**
 * Takes out of a model the units of dense layers and the filters of convolutions that a channel
 * pruning ({@link Pattern.Channel}) has left at 0: the layers become smaller, the predictions stay
 * the same but for rounding.
 *
 * <p>A channel goes if its weights and its bias are 0, scale and shift of the batch normalisation
 * behind it too, and what its layer gives then stays 0 on its way to the dense layers and
 * convolutions that read it: through activations that map 0 to 0, batch normalisation, dropout,
 * pooling, {@code Flatten} and {@code Concat}. Those lose the inputs which it belonged to. Where
 * outputs of several layers are merged element by element, as by a residual sum, a channel goes if
 * it is 0 in all of them, from all of them. Other channels stay where they are: those that are
 * outputs of the model, are merged with its inputs, or go through a layer that does not keep 0
 * apart, and those of layers that are shared or grouped ({@link #obstacles}).
 */
public final class Shrinker {
  private final Model model;
  private final Topology topology;
  private final Map<String, boolean[]> outputs = new LinkedHashMap<>(); // channels that stay
  private final Map<String, boolean[]> inputs = new LinkedHashMap<>();

  private Shrinker(Model model) {
    this.model = model;
    this.topology = model.topology();
  }

  /**
   * A smaller model that predicts the same; the same structure if no channel is 0 that can go.
   * Names, metadata and what masks prune of the rest are kept. The caller closes it.
   *
   * @throws CremaException if the model is quantized
   */
  public static Model shrink(Model model) {
    Objects.requireNonNull(model, "model");
    if (model.quantization() != null) {
      throw new CremaException(
          "This model is quantized already. Shrink the one that it was made of, and quantize that.");
    }
    Shrinker shrinker = new Shrinker(model);
    ChannelGroup.of(model).forEach(shrinker::look);
    return shrinker.smaller();
  }

  /**
   * The layers with channels that stay even where they are 0, by name, and why: a part of a
   * sentence, such as "'lstm_1' (Lstm) behind it may not keep 0". Layers that give the model's
   * outputs are not among them.
   */
  public static Map<String, String> obstacles(Model model) {
    Map<String, String> obstacles = new LinkedHashMap<>();
    Set<String> answering =
        Prunable.givingOutputs(Objects.requireNonNull(model, "model").topology());
    for (ChannelGroup group : ChannelGroup.of(model)) {
      if (group.problem() != null) {
        group.layers().stream()
            .filter(layer -> !answering.contains(layer))
            .forEach(layer -> obstacles.put(layer, group.problem()));
      }
    }
    return obstacles;
  }

  private void look(ChannelGroup group) {
    if (group.problem() != null) {
      return;
    }
    boolean[] alive = new boolean[channels(group.layers().get(0))];
    group.layers().forEach(layer -> revive(alive, layer, ChannelGroup.each(alive.length)));
    group.normalizations().forEach((norm, of) -> revive(alive, norm, of));
    if (hasDead(alive)) {
      keepOne(alive);
      group.layers().forEach(layer -> outputs.put(layer, alive));
      group.normalizations().forEach((norm, of) -> keep(outputs, norm, alive, of));
      group.readers().forEach((reader, of) -> keep(inputs, reader, alive, of));
    }
  }

  /** Of a layer's elements those that stay; what groups before have taken away stays away. */
  private static void keep(
      Map<String, boolean[]> elements, String layer, boolean[] channels, int... ofElements) {
    boolean[] kept = ChannelGroup.kept(channels, ofElements);
    boolean[] before = elements.put(layer, kept);
    for (int i = 0; before != null && i < kept.length; i++) {
      kept[i] &= before[i];
    }
  }

  private static boolean hasDead(boolean... alive) {
    return count(alive) < alive.length;
  }

  /** A layer cannot do without any channel. */
  private static void keepOne(boolean... alive) {
    if (count(alive) == 0) {
      alive[0] = true;
    }
  }

  private int channels(String layer) {
    return Math.toIntExact(model.table().get(layer + "/kernel").type().extent(-1));
  }

  /** Marks the channels for which any parameter of a layer is not 0. */
  private void revive(boolean[] alive, String layer, int... ofElements) {
    for (Parameter p : model.table().all()) {
      if (p.isTrained() && Prunable.layer(p).equals(layer)) {
        float[] w = model.get(p.path());
        for (int i = 0; i < w.length; i++) {
          int channel = ofElements[i % ofElements.length];
          if (channel >= 0 && w[i] != 0) {
            alive[channel] = true;
          }
        }
      }
    }
  }

  private Model smaller() {
    List<Topology.Place> places = new ArrayList<>();
    for (Topology.Place p : topology.places()) {
      boolean[] kept = Prunable.isChannelled(p.layer()) ? outputs.get(p.name()) : null;
      Layer layer = kept == null ? p.layer() : ofWidth(p.layer(), count(kept));
      places.add(new Topology.Place(p.name(), layer, p.weights(), p.inputs()));
    }
    Model small = Model.of(new Topology(topology.inputs(), places, topology.outputs()), 0);
    try {
      small.metadata().setAll(model.metadata().deepCopy());
      for (Parameter p : model.table().all()) {
        int[] from = selected(p);
        float[] all = model.get(p.path());
        float[] values = new float[from.length];
        for (int i = 0; i < from.length; i++) {
          values[i] = all[from[i]];
        }
        small.set(p.path(), values);
        copyMask(p, from, small);
      }
      return small;
    } catch (RuntimeException | Error e) {
      small.close();
      throw e;
    }
  }

  private void copyMask(Parameter p, int[] from, Model small) {
    if (model.masks().paths().contains(p.path())) {
      boolean[] all = model.masks().get(p.path());
      boolean[] kept = new boolean[from.length];
      for (int i = 0; i < from.length; i++) {
        kept[i] = all[from[i]];
      }
      if (hasDead(kept)) {
        small.masks().set(p.path(), kept);
      }
    }
  }

  /** Which elements of a parameter stay, in order. It is [outer, inputs, channels]. */
  private int[] selected(Parameter p) {
    boolean[] out = outputs.get(Prunable.layer(p));
    boolean[] in = p.type().rank() < 2 ? null : inputs.get(Prunable.layer(p));
    int elements = Math.toIntExact(p.elements());
    int columns = p.type().rank() == 0 ? 1 : Math.toIntExact(p.type().extent(-1));
    int rows = in == null ? 1 : in.length;
    int[] from = new int[elements];
    int count = 0;
    for (int i = 0; i < elements; i++) {
      boolean stays = out == null || out[i % columns];
      if (stays && (in == null || in[i / columns % rows])) {
        from[count++] = i;
      }
    }
    return Arrays.copyOf(from, count);
  }

  private static int count(boolean... kept) {
    int count = 0;
    for (boolean k : kept) {
      count += k ? 1 : 0;
    }
    return count;
  }

  private static Layer ofWidth(Layer layer, int width) {
    if (layer instanceof Dense d) {
      return d.withUnits(width);
    }
    if (layer instanceof Conv1d c) {
      return c.withFilters(width);
    }
    if (layer instanceof Conv2d c) {
      return c.withFilters(width);
    }
    throw new CremaException("A " + layer.getClass().getSimpleName() + " has no channels to take");
  }
}
