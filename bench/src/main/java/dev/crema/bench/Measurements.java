package dev.crema.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What was measured of one work on one number of threads: the rounds of each engine. */
final class Measurements {
  private final Map<String, List<Measurement>> engines = new LinkedHashMap<>();

  void add(Measurement m) {
    engines.computeIfAbsent(m.engine(), k -> new ArrayList<>()).add(m);
  }

  /** The engines that gave a result, in the order in which they did. */
  List<String> engines() {
    return List.copyOf(engines.keySet());
  }

  boolean has(String engine) {
    return engines.containsKey(engine);
  }

  /** One measurement a round; empty if there is none. */
  List<Measurement> rounds(String engine) {
    return engines.getOrDefault(engine, List.of());
  }

  Measurement last(String engine) {
    List<Measurement> rounds = rounds(engine);
    return rounds.get(rounds.size() - 1);
  }

  /** Nanoseconds of one run, over all iterations of all rounds. */
  double median(String engine) {
    List<Double> all = new ArrayList<>();
    rounds(engine).forEach(m -> all.addAll(m.nanos()));
    return Medians.of(all);
  }

  /** Largest over smallest median of a round. */
  double spread(String engine) {
    List<Double> medians = rounds(engine).stream().map(Measurement::median).toList();
    return Medians.most(medians) / Medians.least(medians);
  }

  /** Share of the limit that was measured in the same process, in percent. */
  double limitShare(String engine) {
    return median(engine, m -> 100 * m.limitNanos() / m.median());
  }

  double heapBytes(String engine) {
    return median(engine, Measurement::heapBytes);
  }

  private double median(String engine, ToDoubleFunction<Measurement> figure) {
    return Medians.of(rounds(engine).stream().map(figure::applyAsDouble).toList());
  }

  /** An engine's time here over another's there, round by round; the median. */
  double ratio(String engine, Measurements there, String other) {
    List<Measurement> mine = rounds(engine);
    List<Measurement> theirs = there.rounds(other);
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < Math.min(mine.size(), theirs.size()); i++) {
      ratios.add(mine.get(i).median() / theirs.get(i).median());
    }
    return Medians.of(ratios);
  }
}
