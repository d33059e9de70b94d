package dev.crema.compress;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.eval.plot.Plot;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.text.Table;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * What a {@link Compression} tried, and the model that it kept. Its text has a table of all trials,
 * before and after side by side, and what to know of both.
 */
public final class CompressionResult implements AutoCloseable {
  private static final int WIDEST_OUTCOME = 76;

  private final Target target;
  private final double maxAccuracyDrop;
  private final Quality quality;
  private final List<Trial> trials;
  private final Comparison comparison;
  private final List<String> notes;
  private final double seconds;
  private final Model model;

  CompressionResult(
      Target target,
      double maxAccuracyDrop,
      Quality quality,
      List<Trial> trials,
      Comparison comparison,
      List<String> notes,
      double seconds,
      Model model) {
    this.target = target;
    this.maxAccuracyDrop = maxAccuracyDrop;
    this.quality = quality;
    this.trials = List.copyOf(trials);
    this.comparison = comparison;
    this.notes = List.copyOf(notes);
    this.seconds = seconds;
    this.model = model;
  }

  /**
   * What was kept, or a copy of the original where nothing paid. Closed with this, or by itself.
   */
  public Model model() {
    return model;
  }

  /** Whether a form was kept in place of the original. */
  public boolean paid() {
    return kept().outcome() == Trial.Outcome.KEPT;
  }

  /** The trial that was kept, or else that of the original. */
  public Trial kept() {
    return trials.stream()
        .filter(t -> t.outcome() == Trial.Outcome.KEPT)
        .findFirst()
        .orElse(trials.get(0));
  }

  /** All that was tried, the original first, then in the order of trying. */
  public List<Trial> trials() {
    return trials;
  }

  /**
   * The trials, allowed or not, than which no other is at least as accurate and costs less of the
   * target, or is more accurate and costs no more; by cost.
   */
  public List<Trial> paretoFront() {
    List<Trial> front = new ArrayList<>();
    for (Trial t : made()) {
      if (made().stream().noneMatch(other -> dominates(other, t))) {
        front.add(t);
      }
    }
    front.sort(Comparator.comparingDouble(this::cost));
    return front;
  }

  private boolean dominates(Trial a, Trial b) {
    boolean noWorse = accuracy(a) >= accuracy(b) && cost(a) <= cost(b);
    return noWorse && (accuracy(a) > accuracy(b) || cost(a) < cost(b));
  }

  private List<Trial> made() {
    return trials.stream()
        .filter(t -> t.figures() != null && Double.isFinite(accuracy(t)))
        .toList();
  }

  private double cost(Trial trial) {
    return target.cost(trial.figures());
  }

  private double accuracy(Trial trial) {
    return quality.in(trial.figures().evaluation());
  }

  /**
   * The original, called "before", and what was kept, "after": alone if nothing paid. Accuracies
   * are of the examples that nothing was chosen by, where there are such.
   */
  public Comparison comparison() {
    return comparison;
  }

  /** What to know of the figures, a sentence each. */
  public List<String> notes() {
    return notes;
  }

  /** How long the search took. */
  public double seconds() {
    return seconds;
  }

  /** Accuracy against latency or size of all trials, with the Pareto front; SVG or PNG. */
  public Plot plot() {
    return new ParetoPlot(target, quality, maxAccuracyDrop).of(trials, paretoFront());
  }

  public ObjectNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("target", target.name().toLowerCase(Locale.ROOT));
    json.put("metric", quality.name().toLowerCase(Locale.ROOT));
    json.put("max_accuracy_drop", maxAccuracyDrop).put("paid", paid());
    json.put("kept", kept().name()).put("seconds", seconds);
    json.setAll(comparison.toJson());
    ArrayNode all = json.putArray("trials");
    trials.forEach(t -> all.add(t.toJson()));
    ArrayNode front = json.putArray("pareto_front");
    paretoFront().forEach(t -> front.add(t.name()));
    ArrayNode said = json.putArray("notes");
    notes.forEach(said::add);
    return json;
  }

  /** The table of all trials. */
  public String table() {
    Table table =
        Table.of("", "tried", "" + quality, "change", "file", "batch 1", "batch 32", "outcome");
    for (int column = 2; column < 7; column++) {
      table.align(column, Table.Align.RIGHT);
    }
    table.maxWidth(7, WIDEST_OUTCOME);
    List<Trial> front = paretoFront();
    Figures original = trials.get(0).figures();
    for (Trial t : trials) {
      String outcome = t.outcome().name().toLowerCase(Locale.ROOT);
      String text = t.reason().isEmpty() ? outcome : outcome + ": " + t.reason();
      if (t.figures() == null) {
        table.row("", t.name(), "", "", "", "", "", text);
        continue;
      }
      Figures f = t.figures();
      table.row(
          front.contains(t) ? "*" : "",
          t.name(),
          quality.text(accuracy(t)),
          t == trials.get(0) ? "" : quality.change(accuracy(t) - accuracy(trials.get(0))),
          times(f.fileBytes(), original.fileBytes()),
          times(f.nanosOf1(), original.nanosOf1()),
          times(f.nanosOf32(), original.nanosOf32()),
          text);
    }
    return table.toString();
  }

  private static String times(double after, double before) {
    return String.format(Locale.ROOT, "%.2f×", after / before);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(table());
    text.append("* no other is both more accurate and ").append(target.better()).append('\n');
    text.append(comparison);
    notes.forEach(n -> text.append(n).append('\n'));
    text.append(
        String.format(
            Locale.ROOT,
            seconds < 100 ? "%d forms tried in %.1f s\n" : "%d forms tried in %.0f s\n",
            trials.size() - 1,
            seconds));
    text.append(
        paid()
            ? "Kept: " + kept().name()
            : "Nothing paid: no form is "
                + target.better()
                + " and loses no more than "
                + quality.fall(maxAccuracyDrop)
                + " of "
                + quality
                + ". The model stays as it is.");
    return text.toString();
  }

  /** Closes the model. */
  @Override
  public void close() {
    model.close();
  }
}
