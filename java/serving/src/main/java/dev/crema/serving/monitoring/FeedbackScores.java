package dev.crema.serving.monitoring;

import java.util.Map;
import java.util.TreeMap;

/** Compares predictions of a version with the truth, in a window of two halves. Thread-safe. */
final class FeedbackScores {
  private final String model;
  private final long version;
  private final long half;
  private Tally now = new Tally();
  private Tally before = new Tally();
  private long began;

  /** How often a class was told, was true, and was told rightly. */
  private static final class OfClass {
    long told;
    long real;
    long both;
  }

  private static final class Tally {
    final Map<Integer, OfClass> classes = new TreeMap<>();
    long labels;
    long right;
    long values;
    double absolute;
    double squared;

    OfClass of(int label) {
      return classes.computeIfAbsent(label, l -> new OfClass());
    }

    void add(Tally other) {
      labels += other.labels;
      right += other.right;
      values += other.values;
      absolute += other.absolute;
      squared += other.squared;
      other.classes.forEach(
          (label, counts) -> {
            OfClass mine = of(label);
            mine.told += counts.told;
            mine.real += counts.real;
            mine.both += counts.both;
          });
    }
  }

  FeedbackScores(String model, long version, long windowNanos, long nanoTime) {
    this.model = model;
    this.version = version;
    this.half = Math.max(1, windowNanos / 2);
    this.began = nanoTime;
  }

  synchronized void label(int told, int real, long nanoTime) {
    turn(nanoTime);
    now.labels++;
    now.of(told).told++;
    now.of(real).real++;
    if (told == real) {
      now.right++;
      now.of(real).both++;
    }
  }

  synchronized void value(double told, double real, long nanoTime) {
    turn(nanoTime);
    double error = told - real;
    now.values++;
    now.absolute += Math.abs(error);
    now.squared += error * error;
  }

  private void turn(long nanoTime) {
    long passed = nanoTime - began;
    if (passed < half) {
      return;
    }
    boolean stale = passed >= 2 * half;
    before = stale ? new Tally() : now;
    now = new Tally();
    began = stale ? nanoTime : began + half;
  }

  /** Whether no truth came in the window. */
  synchronized boolean isEmpty(long nanoTime) {
    turn(nanoTime);
    return now.labels + before.labels + now.values + before.values == 0;
  }

  synchronized FeedbackReport report(long nanoTime) {
    turn(nanoTime);
    Tally all = new Tally();
    all.add(before);
    all.add(now);
    double precision = 0;
    double recall = 0;
    double f1 = 0;
    for (OfClass c : all.classes.values()) {
      precision += c.told == 0 ? 0 : (double) c.both / c.told;
      recall += c.real == 0 ? 0 : (double) c.both / c.real;
      f1 += 2.0 * c.both / (c.told + c.real);
    }
    int classes = all.classes.size(); // without labels 0 / 0, NaN
    return new FeedbackReport(
        model,
        version,
        all.labels,
        (double) all.right / all.labels,
        precision / classes,
        recall / classes,
        f1 / classes,
        all.values,
        all.absolute / all.values,
        Math.sqrt(all.squared / all.values));
  }
}
