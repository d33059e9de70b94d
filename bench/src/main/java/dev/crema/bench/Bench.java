package dev.crema.bench;

import dev.crema.CremaException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Runs works in engines, each pair in a JVM of its own. The engines of a work, Crema on each number
 * of threads and peers on the first, take turns of a tenth of a second, so that a ratio compares
 * what the machine did within a second.
 */
final class Bench {
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

  /**
   * Measures everything.
   *
   * @param soFar gets the report after each work: it may take an hour until the last
   */
  Report run(Consumer<Report> soFar) {
    Report report = new Report(works, threads);
    for (int round = 1; round <= rounds; round++) {
      for (int w = 0; w < works.size(); w++) {
        Work work = works.get(w);
        List<Engine> able = engines.stream().filter(e -> e.supports(work.problem())).toList();
        String names = able.stream().map(Engine::name).collect(Collectors.joining(", "));
        String at = "round " + round + "/" + rounds + ", " + (w + 1) + "/" + works.size();
        progress.accept(at + ": " + work.name() + " (" + names + ")");
        if (work.problem() instanceof Problem.Start) {
          start(work, able, report);
        } else {
          compete(work, able, report);
        }
        soFar.accept(report);
      }
    }
    return report;
  }

  private List<Integer> threads(Engine engine) {
    return engine.name().equals(Engines.CREMA) ? threads : threads.subList(0, 1);
  }

  private void start(Work work, List<Engine> able, Report report) {
    for (Engine engine : able) {
      for (int count : threads(engine)) {
        attempt(
            work,
            engine,
            report,
            () -> report.add(Starts.measure(work, engine, count, length.starts())));
      }
    }
  }

  private void compete(Work work, List<Engine> able, Report report) {
    List<Contender> all = new ArrayList<>();
    try {
      for (Engine engine : able) {
        for (int count : threads(engine)) {
          all.add(Contender.start(work, engine, count, length));
        }
      }
      List<Contender> left = each(work, all, report, Contender::ready);
      left = each(work, left, report, Contender::warmUp);
      for (int turn = 0; turn < length.turns(); turn++) {
        left = each(work, left, report, Contender::turn);
      }
      each(work, left, report, contender -> report.add(contender.end()));
    } finally {
      all.forEach(Contender::close);
    }
  }

  /** Gives those that did not fail. */
  private List<Contender> each(
      Work work, List<Contender> contenders, Report report, Consumer<Contender> step) {
    return contenders.stream()
        .filter(c -> attempt(work, c.engine(), report, () -> step.accept(c)))
        .toList();
  }

  private boolean attempt(Work work, Engine engine, Report report, Runnable step) {
    try {
      step.run();
      return true;
    } catch (CremaException e) {
      report.failed(work, engine, e.getMessage());
      progress.accept("  " + engine.name() + ": " + e.getMessage());
      return false;
    }
  }
}
