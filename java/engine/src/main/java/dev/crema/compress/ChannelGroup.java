package dev.crema.compress;

import dev.crema.nn.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Channels that can only go together: those of one layer, or of several whose outputs are merged
 * element by element, as a residual sum does, so that its channel is 0 if it is in all of them.
 */
final class ChannelGroup {
  private final List<String> layers = new ArrayList<>();
  private final Map<String, int[]> normalizations = new LinkedHashMap<>();
  private final Map<String, int[]> readers = new LinkedHashMap<>();
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
   * The batch normalisations on the way, and which of the channels each of their elements belongs
   * to: several to one behind a {@code Flatten}; -1: to one of another group, behind a {@code
   * Concat}.
   */
  Map<String, int[]> normalizations() {
    return normalizations;
  }

  /** The layers that read the channels, and which of them each input is; -1: one of others. */
  Map<String, int[]> readers() {
    return readers;
  }

  /** Why channels cannot be taken out, or null. */
  String problem() {
    return problem;
  }

  /** Where each element is the channel of its number. */
  static int[] each(int count) {
    return IntStream.range(0, count).toArray();
  }

  /** Which elements stay, where these channels do. */
  static boolean[] kept(boolean[] channels, int... ofElements) {
    boolean[] kept = new boolean[ofElements.length];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = ofElements[i] < 0 || channels[ofElements[i]];
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
    part.normalizations.forEach((norm, of) -> normalizations.merge(norm, of, ChannelGroup::both));
    part.readers.forEach((reader, of) -> readers.merge(reader, of, ChannelGroup::both));
    part.merged = this;
  }

  /** Elements of which each belongs to one of two groups that have become one, or to none. */
  private static int[] both(int[] a, int[] b) {
    return IntStream.range(0, a.length).map(i -> Math.max(a[i], b[i])).toArray();
  }
}
