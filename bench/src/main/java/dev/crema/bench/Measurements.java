package dev.crema.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
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

  /** Nanoseconds of one run, over all turns of all rounds. */
  double median(String engine) {
    return Medians.of(nanos(engine));
  }

  /** Upper over lower quartile of the turns. */
  double spread(String engine) {
    List<Double> all = nanos(engine);
    return Medians.upperQuartile(all) / Medians.lowerQuartile(all);
  }

  private List<Double> nanos(String engine) {
    return rounds(engine).stream().flatMap(m -> m.nanos().stream()).toList();
  }

  /** Share of the limit that was measured in the same process just before each turn, in percent. */
  double limitShare(String engine) {
    return 100
        * Medians.of(
            rounds(engine).stream()
                .flatMap(m -> ratios(m.limitNanos(), m.nanos()).stream())
                .toList());
  }

  double heapBytes(String engine) {
    return median(engine, Measurement::heapBytes);
  }

  private double median(String engine, ToDoubleFunction<Measurement> figure) {
    return Medians.of(rounds(engine).stream().map(figure::applyAsDouble).toList());
  }

  /** An engine's time here over another's there, turn by turn; the median. */
  double ratio(String engine, Measurements there, String other) {
    return Medians.of(ratios(engine, there, other));
  }

  /** The same, turn by turn. */
  List<Double> ratios(String engine, Measurements there, String other) {
    return ratios(engine, there, other, Measurement::nanos);
  }

  /** How many times as fast the machine's limit was there, turn by turn; the median. */
  double limitRatio(String engine, Measurements there) {
    return Medians.of(ratios(engine, there, engine, Measurement::limitNanos));
  }

  private List<Double> ratios(
      String engine, Measurements there, String other, Function<Measurement, List<Double>> figure) {
    List<Measurement> mine = rounds(engine);
    List<Measurement> theirs = there.rounds(other);
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < Math.min(mine.size(), theirs.size()); i++) {
      ratios.addAll(ratios(figure.apply(mine.get(i)), figure.apply(theirs.get(i))));
    }
    return ratios;
  }

  private static List<Double> ratios(List<Double> mine, List<Double> theirs) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < Math.min(mine.size(), theirs.size()); i++) {
      ratios.add(mine.get(i) / theirs.get(i));
    }
    return ratios;
  }
}
