package dev.crema.serving.monitoring;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Drift and live accuracy as meters. Only the features that drifted most have series, so that a
 * model of 784 pixels has not 784; {@link #refresh} says again which those are. Thread-safe.
 */
public final class QualityMetrics implements MeterBinder {
  private final DriftMonitor drift;
  private final Feedback feedback;
  private final Map<Tags, Counts> counted = new ConcurrentHashMap<>();
  private final Set<String> truths = new HashSet<>(); // models and results that have a counter
  private MeterRegistry registry; // null until bound
  private Map<String, MultiGauge> gauges; // by name

  /** The latest of a version's counts. */
  private static final class Counts {
    volatile DriftMonitor.Totals totals;

    Counts(DriftMonitor.Totals totals) {
      this.totals = totals;
    }
  }

  public QualityMetrics(DriftMonitor drift, Feedback feedback) {
    this.drift = Objects.requireNonNull(drift, "drift");
    this.feedback = Objects.requireNonNull(feedback, "feedback");
  }

  @Override
  public synchronized void bindTo(MeterRegistry registry) {
    this.registry = registry;
    gauges = new HashMap<>();
    gauge("crema.drift.window.examples", "Examples looked at in the sliding window");
    gauge("crema.drift.features", "Features above a stability index of 0.25");
    gauge("crema.drift.psi.max", "Greatest population stability index of all input features");
    gauge("crema.drift.jensen.shannon.max", "Greatest Jensen-Shannon divergence, bits");
    gauge("crema.feature.psi", "Population stability index of the features that drifted most");
    gauge("crema.feature.jensen.shannon", "Jensen-Shannon divergence of the same features, bits");
    gauge("crema.feature.missing.ratio", "Part of the values of the same features that is NaN");
    gauge(
        "crema.feature.out.of.range.ratio",
        "Part of the values of the same features outside what training saw");
    gauge("crema.prediction.psi", "Population stability index of an output");
    gauge("crema.prediction.jensen.shannon", "Jensen-Shannon divergence of an output, bits");
    gauge("crema.prediction.class.ratio", "Part of the predictions that tells a class");
    gauge("crema.prediction.class.expected.ratio", "The same of the training data");
    gauge("crema.feedback.accuracy", "Part of the classes told that were right");
    gauge("crema.feedback.precision", "Mean precision over the classes");
    gauge("crema.feedback.recall", "Mean recall over the classes");
    gauge("crema.feedback.f1", "Mean F1 over the classes");
    gauge("crema.feedback.labels", "Classes that came in the sliding window");
    gauge("crema.feedback.mae", "Mean absolute error of numbers told");
    gauge("crema.feedback.rmse", "Root mean squared error of numbers told");
    Gauge.builder("crema.feedback.waiting", feedback, Feedback::waiting)
        .description("Predictions that wait for their truth")
        .register(registry);
  }

  private void gauge(String name, String description) {
    gauges.put(name, MultiGauge.builder(name).description(description).register(registry));
  }

  /** Brings the gauges up to date; does nothing until it is bound. */
  public synchronized void refresh() {
    if (registry == null) {
      return;
    }
    drift.refresh();
    Map<String, List<MultiGauge.Row<?>>> rows = new HashMap<>();
    gauges.keySet().forEach(name -> rows.put(name, new ArrayList<>()));
    drift.reports().forEach(report -> add(rows, report));
    feedback.reports().forEach(report -> add(rows, report));
    rows.forEach((name, all) -> gauges.get(name).register(all, true));
    counters();
  }

  private static void add(Map<String, List<MultiGauge.Row<?>>> rows, DriftReport report) {
    Tags tags = tags(report.model(), report.version());
    row(rows, "crema.drift.window.examples", tags, report.examples());
    row(rows, "crema.drift.features", tags, report.drifted());
    row(rows, "crema.drift.psi.max", tags, report.greatestIndex());
    row(rows, "crema.drift.jensen.shannon.max", tags, report.greatestDivergence());
    for (DriftReport.Feature feature : report.top()) {
      Tags of = tags.and("feature", feature.name());
      row(rows, "crema.feature.psi", of, feature.index());
      row(rows, "crema.feature.jensen.shannon", of, feature.divergence());
      row(rows, "crema.feature.missing.ratio", of, feature.missing());
      row(rows, "crema.feature.out.of.range.ratio", of, feature.outOfRange());
    }
    for (DriftReport.Prediction prediction : report.predictions()) {
      Tags of = tags.and("output", prediction.output());
      row(rows, "crema.prediction.psi", of, prediction.index());
      row(rows, "crema.prediction.jensen.shannon", of, prediction.divergence());
      for (DriftReport.Share share : prediction.classes()) {
        Tags ofClass = of.and("class", share.name());
        row(rows, "crema.prediction.class.ratio", ofClass, share.live());
        row(rows, "crema.prediction.class.expected.ratio", ofClass, share.expected());
      }
    }
  }

  private static void add(Map<String, List<MultiGauge.Row<?>>> rows, FeedbackReport report) {
    Tags tags = tags(report.model(), report.version());
    if (report.labels() > 0) {
      row(rows, "crema.feedback.labels", tags, report.labels());
      row(rows, "crema.feedback.accuracy", tags, report.accuracy());
      row(rows, "crema.feedback.precision", tags, report.precision());
      row(rows, "crema.feedback.recall", tags, report.recall());
      row(rows, "crema.feedback.f1", tags, report.f1());
    }
    if (report.values() > 0) {
      row(rows, "crema.feedback.mae", tags, report.meanAbsoluteError());
      row(rows, "crema.feedback.rmse", tags, report.rootMeanSquaredError());
    }
  }

  private static void row(
      Map<String, List<MultiGauge.Row<?>>> rows, String gauge, Tags tags, double value) {
    rows.get(gauge).add(MultiGauge.Row.of(tags, value));
  }

  private static Tags tags(String model, long version) {
    return Tags.of("model", model, "version", Long.toString(version));
  }

  private void counters() {
    List<Tags> present = new ArrayList<>();
    for (DriftMonitor.Totals totals : drift.totals()) {
      Tags tags = tags(totals.model(), totals.version());
      present.add(tags);
      Counts known = counted.get(tags);
      if (known != null) {
        known.totals = totals;
        continue;
      }
      Counts counts = new Counts(totals);
      counted.put(tags, counts);
      counter("crema.drift.examples", "Examples looked at", tags, counts, t -> t.examples());
      counter("crema.input.missing", "Input values that were NaN", tags, counts, t -> t.missing());
      counter(
          "crema.input.out.of.range",
          "Input values outside what training saw",
          tags,
          counts,
          t -> t.outOfRange());
    }
    for (Tags gone : counted.keySet()) {
      if (!present.contains(gone)) {
        counted.remove(gone);
        for (String name :
            List.of("crema.drift.examples", "crema.input.missing", "crema.input.out.of.range")) {
          registry.find(name).tags(gone).meters().forEach(registry::remove);
        }
      }
    }
    feedback.matched().forEach((model, count) -> truths(model, "matched", count));
    feedback.unmatched().forEach((model, count) -> truths(model, "unmatched", count));
  }

  private void counter(
      String name,
      String description,
      Tags tags,
      Counts counts,
      java.util.function.ToLongFunction<DriftMonitor.Totals> of) {
    FunctionCounter.builder(name, counts, c -> of.applyAsLong(c.totals))
        .description(description)
        .tags(tags)
        .register(registry);
  }

  private void truths(String model, String result, LongAdder count) {
    if (!truths.add(model + ' ' + result)) {
      return;
    }
    FunctionCounter.builder("crema.feedback.truths", count, LongAdder::sum)
        .description("Truths that came, by whether a prediction was remembered for them")
        .tags("model", model, "result", result)
        .register(registry);
  }
}
