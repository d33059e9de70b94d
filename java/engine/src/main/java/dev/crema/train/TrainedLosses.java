package dev.crema.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.nn.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which losses a model was trained with, in its file: {@code "loss"} names that of an only output;
 * else {@code "losses"} has an entry for each trained output, with its loss and its weight. {@code
 * "label_smoothing"} stands beside a loss that has it; what is measured later goes without.
 */
final class TrainedLosses {
  private static final String LOSS = "loss";
  private static final String LOSSES = "losses";
  private static final String SMOOTHING = "label_smoothing";
  private static final String WEIGHT = "weight";

  private TrainedLosses() {}

  static void write(Model model, List<Head> heads) {
    ObjectNode metadata = model.metadata();
    metadata.remove(List.of(LOSS, LOSSES, SMOOTHING));
    boolean plain = model.topology().outputs().size() == 1 && heads.get(0).weight() == 1;
    if (plain) {
      put(heads.get(0).loss(), metadata);
      return;
    }
    ObjectNode losses = metadata.putObject(LOSSES);
    for (Head head : heads) {
      ObjectNode entry = losses.putObject(head.output());
      put(head.loss(), entry);
      entry.put(WEIGHT, head.weight());
    }
  }

  private static void put(Loss loss, ObjectNode to) {
    to.put(LOSS, loss.name());
    if (loss.labelSmoothing() != 0) {
      to.put(SMOOTHING, loss.labelSmoothing());
    }
  }

  /** That of a model's only output, if the file says it. */
  static Optional<Loss> only(Model model) {
    String name = model.metadata().path(LOSS).asText("");
    if (name.isEmpty()) {
      return Optional.empty();
    }
    double smoothing = model.metadata().path(SMOOTHING).asDouble(0);
    Loss plain = Losses.of(name);
    return Optional.of(smoothing == 0 ? plain : plain.withLabelSmoothing(smoothing));
  }

  /**
   * The outputs that were trained, or all where the file does not say, each with its loss if that
   * is known here and fits the data, else with the one that the data suggests.
   */
  static List<Head> heads(Model model, Dataset data) {
    List<String> outputs = model.topology().outputs();
    JsonNode losses = model.metadata().path(LOSSES);
    List<String> trained = outputs.stream().filter(losses::has).toList();
    List<String> measured = trained.isEmpty() ? outputs : trained;
    MetricNames.requireDistinct(measured);
    int[] places = Binding.targets(measured, data.targets());
    List<Node> nodes = model.build(new Graph(), false).outputs();
    List<Head> heads = new ArrayList<>();
    for (int i = 0; i < places.length; i++) {
      String name = measured.get(i);
      int index = outputs.indexOf(name);
      JsonNode entry = losses.path(name);
      String saved = entry.path(LOSS).asText(model.metadata().path(LOSS).asText(""));
      Dataset.Slot target = data.targets().get(places[i]);
      Loss loss = known(saved, nodes.get(index), target);
      heads.add(
          new Head(
              name,
              index,
              loss != null ? loss : Loss.infer(nodes.get(index), target),
              entry.path(WEIGHT).asDouble(1),
              null,
              target));
    }
    return heads;
  }

  private static Loss known(String name, Node output, Dataset.Slot target) {
    if (name.isEmpty()) {
      return null;
    }
    try {
      Loss loss = Losses.of(name);
      loss.target(output.type(), target);
      return loss;
    } catch (IllegalArgumentException | CremaException e) {
      return null;
    }
  }
}
