package dev.crema.bench;

import dev.crema.CremaException;
import dev.crema.io.Json;
import java.util.List;
import java.util.function.Consumer;

/**
 * Runs works in engines, each pair in a JVM of its own, in rounds: in a round the engines of a work
 * follow one another at once, so that a ratio compares what the machine did within seconds. Crema
 * is measured on each number of threads, peers on the first.
 */
final class Bench {
  private static final List<String> OPTIONS =
      List.of("-Xms512m", "-Xmx2g", "-XX:+UseParallelGC", "-Djmh.ignoreLock=true");

  private final List<Work> works;
  private final List<Engine> engines;
  private final List<Integer> threads;
  private final int rounds;
  private final Fork.Length length;
  private final Consumer<String> progress;

  Bench(
      List<Work> works,
      List<Engine> engines,
      List<Integer> threads,
      int rounds,
      Fork.Length length,
      Consumer<String> progress) {
    this.works = works;
    this.engines = engines;
    this.threads = threads;
    this.rounds = rounds;
    this.length = length;
    this.progress = progress;
  }

  Report run() {
    Report report = new Report(works, threads);
    for (int round = 1; round <= rounds; round++) {
      for (int w = 0; w < works.size(); w++) {
        Work work = works.get(w);
        String at = "round " + round + "/" + rounds + ", " + (w + 1) + "/" + works.size();
        for (Engine engine : engines) {
          if (engine.supports(work.problem())) {
            progress.accept(at + ": " + work.name() + " in " + engine.name());
            measure(work, engine, report);
          }
        }
      }
    }
    return report;
  }

  private void measure(Work work, Engine engine, Report report) {
    boolean crema = engine.name().equals(Engines.CREMA);
    for (int count : crema ? threads : threads.subList(0, 1)) {
      try {
        report.add(measure(work, engine, count));
      } catch (CremaException e) {
        report.failed(work, engine, e.getMessage());
        progress.accept("  " + e.getMessage());
      }
    }
  }

  private Measurement measure(Work work, Engine engine, int count) {
    if (work.problem() instanceof Problem.Start) {
      return Starts.measure(work, engine, count, length.starts());
    }
    List<String> arguments =
        List.of(
            work.name(),
            engine.name(),
            Integer.toString(count),
            Integer.toString(length.warmupMillis()),
            Integer.toString(length.iterations()),
            Integer.toString(length.iterationMillis()));
    return Child.run(
        engine,
        count,
        OPTIONS,
        Fork.class,
        arguments,
        result -> Json.mapper().readValue(result.toFile(), Measurement.class));
  }
}
