package dev.crema.bench;

import dev.crema.CremaException;
import dev.crema.io.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Runs works in engines, each pair in a JVM of its own, in rounds: in a round the engines of a work
 * follow one another at once, so that a ratio compares what the machine did within seconds.
 */
final class Bench {
  private static final int TIMEOUT_SECONDS = 300;
  private static final int LAST_LINES = 5;

  private final List<Work> works;
  private final List<Engine> engines;
  private final int threads;
  private final int rounds;
  private final Fork.Length length;
  private final Consumer<String> progress;

  Bench(
      List<Work> works,
      List<Engine> engines,
      int threads,
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
        for (Engine engine : engines) {
          if (!engine.supports(work.problem())) {
            continue;
          }
          String at = "round " + round + "/" + rounds + ", " + (w + 1) + "/" + works.size();
          progress.accept(at + ": " + work.name() + " in " + engine.name());
          try {
            report.add(measure(work, engine));
          } catch (CremaException e) {
            report.failed(work, engine, e.getMessage());
            progress.accept("  " + e.getMessage());
          }
        }
      }
    }
    return report;
  }

  private Measurement measure(Work work, Engine engine) {
    try {
      Path result = Files.createTempFile("crema-bench", ".json");
      Path log = Files.createTempFile("crema-bench", ".log");
      try {
        Process process = start(work, engine, result, log);
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly().waitFor();
          throw new CremaException("no result within " + TIMEOUT_SECONDS + " s");
        }
        if (process.exitValue() != 0 || Files.size(result) == 0) {
          String said = new String(Files.readAllBytes(log), StandardCharsets.UTF_8);
          throw new CremaException(failure(said.lines().toList(), process.exitValue()));
        }
        return Json.mapper().readValue(result.toFile(), Measurement.class);
      } finally {
        Files.deleteIfExists(result);
        Files.deleteIfExists(log);
      }
    } catch (IOException e) {
      throw new CremaException("Can't run a benchmark: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    }
  }

  private Process start(Work work, Engine engine, Path result, Path log) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xms512m", "-Xmx2g", "-XX:+UseParallelGC", "-Djmh.ignoreLock=true"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Fork.class.getName()));
    command.addAll(List.of(work.name(), engine.name(), Integer.toString(threads)));
    command.add(Integer.toString(length.warmupMillis()));
    command.add(Integer.toString(length.iterations()));
    command.add(Integer.toString(length.iterationMillis()));
    command.add(result.toString());
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    Map<String, String> environment = builder.environment();
    environment.put("OMP_NUM_THREADS", Integer.toString(threads)); // most peers' pools
    engine
        .environment()
        .forEach(
            (name, value) -> {
              if (value.isEmpty()) {
                environment.remove(name);
              } else {
                environment.put(name, value);
              }
            });
    return builder.start();
  }

  /**
   * The exception behind all others, or the last lines of what the process said. JMH keeps what a
   * benchmark threw as a suppressed exception of its own.
   */
  static String failure(List<String> said, int exit) {
    List<String> lines = said.stream().filter(l -> !l.isBlank()).toList();
    for (int i = lines.size() - 1; i >= 0; i--) {
      String line = lines.get(i).strip();
      if (line.contains("Exception: ") || line.contains("Error: ")) {
        return line.replaceFirst(
            "^(Exception in thread \"[^\"]*\"|Caused by:|Suppressed:)\\s*", "");
      }
    }
    List<String> last = lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
    return "exit code " + exit + ": " + String.join(" | ", last);
  }
}
