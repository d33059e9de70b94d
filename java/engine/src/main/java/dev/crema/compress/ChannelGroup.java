package dev.crema.compress;

import dev.crema.nn.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Channels that can only go together: those of one layer, or of several whose outputs are merged
 * element by element, as a residual sum does, so that its channel is 0 if it is in all of them.
 */
final class ChannelGroup {
  private final List<String> layers = new ArrayList<>();
  private final Map<String, Integer> normalizations = new LinkedHashMap<>();
  private final Map<String, Integer> readers = new LinkedHashMap<>();
  private String problem;
  private ChannelGroup merged; // what this has become a part of

  /** Those of a model, but for those that only inputs and layers without channels give. */
  static List<ChannelGroup> of(Model model) {
    return new ChannelFlow(model).groups();
  }

  /** The layers that give the channels, in the model's order. */
  List<String> layers() {
    return layers;
  }

  /**
   * The batch normalisations on the way, and how many elements of them each channel has: more than
   * one behind a {@code Flatten}.
   */
  Map<String, Integer> normalizations() {
    return normalizations;
  }

  /** The layers that read the channels, and how many inputs of them each channel has. */
  Map<String, Integer> readers() {
    return readers;
  }

  /** Why channels cannot be taken out, or null. */
  String problem() {
    return problem;
  }

  /** For each of the elements that the channels have, whether its channel stays. */
  static boolean[] spread(boolean[] channels, int places) {
    boolean[] kept = new boolean[places * channels.length];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = channels[i % channels.length];
    }
    return kept;
  }

  /** Says that the channels cannot go, and why: of several reasons the first. */
  void stays(String why) {
    ChannelGroup whole = whole();
    whole.problem = whole.problem == null ? why : whole.problem;
  }

  /** The group that this is, or has become a part of. */
  ChannelGroup whole() {
    return merged == null ? this : merged.whole();
  }

  /** Makes another group a part of this one. */
  void merge(ChannelGroup other, String by) {
    ChannelGroup part = other.whole();
    if (part == this) {
      return;
    }
    String why = problem == null ? part.problem : problem;
    if (why != null && (problem == null || part.problem == null)) {
      why = "'" + by + "' merges them with channels that stay: " + why;
    }
    problem = why;
    layers.addAll(part.layers);
    normalizations.putAll(part.normalizations);
    readers.putAll(part.readers);
    part.merged = this;
  }
}
