package dev.crema.serving.monitoring;

import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.repository.VersionStatus;
import dev.crema.serving.tensor.JsonFormat;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Joins ground truth that comes later with predictions, by the ids that clients give to requests,
 * and tells how good a model is live. Only requests with an id are remembered, and of models with
 * several outputs the first. Memory is bounded by number and by time. Thread-safe.
 */
public final class Feedback implements ServingListener {
  /** More values of a row are not remembered, only the class that they tell. */
  private static final int MOST_VALUES = 16;

  private final Supplier<Models> models;
  private final RecentPredictions recent;
  private final long window;
  private final LongSupplier clock;
  private final Map<RecentVersion, FeedbackScores> scores = new ConcurrentHashMap<>();
  private final Map<RecentVersion, List<String>> names = new ConcurrentHashMap<>(); // of classes
  private final Map<String, LongAdder> matched = new ConcurrentHashMap<>();
  private final Map<String, LongAdder> unmatched = new ConcurrentHashMap<>();

  private record RecentVersion(String model, long version) {}

  /**
   * @param models that are served
   * @param numbers remembered at most: about 10 and one for each row and output value of a request
   * @param keep how long a prediction waits for its truth
   * @param window over which figures are taken, at most; at least half of it
   */
  public Feedback(Supplier<Models> models, long numbers, Duration keep, Duration window) {
    this(models, numbers, keep, window, System::nanoTime);
  }

  Feedback(
      Supplier<Models> models, long numbers, Duration keep, Duration window, LongSupplier clock) {
    this.models = Objects.requireNonNull(models, "models");
    this.recent = new RecentPredictions(numbers, keep.toNanos());
    this.window = window.toNanos();
    this.clock = clock;
  }

  /**
   * The truth of a request.
   *
   * @param labels a class for each row, by number or by name; or empty
   * @param values numbers for each row; or empty
   */
  public record Truth(String id, List<Object> labels, List<double[]> values) {
    public Truth {
      labels = List.copyOf(labels);
      values = List.copyOf(values);
    }
  }

  @Override
  public void answered(InferenceRequest request, InferenceResponse response, long totalNanos) {
    if (request.id().isEmpty() || response.outputs().isEmpty()) {
      return;
    }
    Values output = Values.of(response.outputs().values().iterator().next());
    if (output == null || output.width() == 0) {
      return;
    }
    int[] classes = new int[output.rows()];
    boolean small = output.width() <= MOST_VALUES;
    float[] values = new float[small ? output.rows() * output.width() : 0];
    for (int row = 0; row < classes.length; row++) {
      classes[row] = output.tell(row, 0.5f);
      for (int i = 0; small && i < output.width(); i++) {
        values[row * output.width() + i] = output.at(row, i);
      }
    }
    recent.put(
        new RecentPredictions.Key(response.model(), request.id()),
        new RecentPredictions.Prediction(
            response.version(),
            clock.getAsLong(),
            classes,
            output.width() == 1 ? 2 : output.width(),
            names(new RecentVersion(response.model(), response.version())),
            values));
  }

  /** Kept with the predictions: the truth may come when their version is served no longer. */
  private List<String> names(RecentVersion version) {
    List<String> known = names.computeIfAbsent(version, this::readNames);
    return known == null ? List.of() : known;
  }

  /** Null if they can't be known. */
  private List<String> readNames(RecentVersion of) {
    Models served = models.get();
    try {
      return served == null
          ? null
          : served.signature(ModelReference.version(of.model(), of.version())).labels();
    } catch (ServingException e) {
      return null; // it has gone meanwhile
    }
  }

  @Override
  public void changed(VersionStatus status) {
    RecentVersion version = new RecentVersion(status.model(), status.version());
    names.remove(version); // other files may have others
    if (status.state() == VersionStatus.State.END) {
      scores.remove(version);
    }
  }

  /**
   * Takes in truths; each prediction is compared once, and waits on for a truth that fits if one
   * does not.
   *
   * @return the ids of those for which no prediction is remembered
   * @throws ServingException if there is no such model, or a truth does not fit its prediction;
   *     those before it count
   */
  public List<String> take(String model, List<Truth> truths) {
    Models served = models.get();
    if (served == null) {
      throw ServingException.notFound("No models are served here");
    }
    served.versions(model); // throws if there is no such model
    List<String> missing = new ArrayList<>();
    for (Truth truth : truths) {
      long now = clock.getAsLong();
      var key = new RecentPredictions.Key(model, truth.id());
      RecentPredictions.Prediction told = recent.get(key, now);
      int[] labels = told == null ? null : checked(model, truth, told);
      if (told == null || recent.take(key, now) != told) { // or another truth was faster
        missing.add(truth.id());
        count(unmatched, model);
        continue;
      }
      compare(model, truth, labels, told, now);
      count(matched, model);
    }
    return missing;
  }

  private static void count(Map<String, LongAdder> of, String model) {
    of.computeIfAbsent(model, m -> new LongAdder()).increment();
  }

  /** The classes by their numbers, if the truth fits the prediction. */
  private static int[] checked(String model, Truth truth, RecentPredictions.Prediction told) {
    int rows = truth.labels().isEmpty() ? truth.values().size() : truth.labels().size();
    if (rows != told.rows()) {
      throw ServingException.invalidArgument(
          "Request '" + truth.id() + "' had " + told.rows() + " rows, the feedback has " + rows);
    }
    for (double[] real : truth.values()) {
      if (real.length != told.width()) {
        throw ServingException.invalidArgument(
            "Request '"
                + truth.id()
                + "' was answered with "
                + (told.width() == 0 ? "more than " + MOST_VALUES : told.width())
                + " numbers a row, the feedback has "
                + real.length);
      }
    }
    return truth.labels().stream().mapToInt(label -> number(model, told, label)).toArray();
  }

  private static int number(String model, RecentPredictions.Prediction told, Object label) {
    int number =
        label instanceof Integer given ? given : told.names().indexOf(String.valueOf(label));
    if (number < 0 || number >= told.choices()) {
      throw ServingException.invalidArgument(
          "Model '"
              + model
              + "' has no class '"
              + JsonFormat.shortened(label.toString())
              + "'; it has "
              + (told.names().isEmpty() ? told.choices() + " without names" : told.names()));
    }
    return number;
  }

  private void compare(
      String model, Truth truth, int[] labels, RecentPredictions.Prediction told, long now) {
    FeedbackScores of =
        scores.computeIfAbsent(
            new RecentVersion(model, told.version()),
            v -> new FeedbackScores(v.model(), v.version(), window, now));
    for (int row = 0; row < labels.length; row++) {
      of.label(told.classes()[row], labels[row], now);
    }
    for (int row = 0; row < truth.values().size(); row++) {
      double[] real = truth.values().get(row);
      for (int i = 0; i < real.length; i++) {
        of.value(told.values()[row * real.length + i], real[i], now);
      }
    }
  }

  /** Of each version that truth came for in the window, by name and version. */
  public List<FeedbackReport> reports() {
    long now = clock.getAsLong();
    scores.values().removeIf(s -> s.isEmpty(now));
    return scores.values().stream()
        .map(s -> s.report(now))
        .sorted(
            Comparator.comparing(FeedbackReport::model).thenComparingLong(FeedbackReport::version))
        .toList();
  }

  /** Predictions that wait for their truth. */
  public int waiting() {
    return recent.count();
  }

  /** Truths so far for which a prediction was remembered, by model. */
  Map<String, LongAdder> matched() {
    return matched;
  }

  /** Truths so far for which none was. */
  Map<String, LongAdder> unmatched() {
    return unmatched;
  }
}
