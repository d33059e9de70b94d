package dev.crema.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The main class of a JVM that predicts once. Nothing of an engine, Crema included, is loaded
 * before the clock starts: what is given is read as plain arrays.
 */
final class Start {
  /** A class of its own, so that a log of loaded classes shows where the clock starts. */
  private static final class Clock {
    static long start() {
      return System.nanoTime();
    }
  }

  private Start() {}

  /**
   * Arguments: engine, threads, file of {@link Given}, result file. The result: nanoseconds, the
   * engine's version, the prediction.
   */
  public static void main(String[] args) throws IOException {
    Engine engine = Engines.named(args[0]);
    int threads = Integer.parseInt(args[1]);
    Given given = Given.read(Path.of(args[2]));
    Problem problem = new Problem.Prediction(Network.SEED_MLP, 1, given);
    long begin = Clock.start();
    Task task = engine.prepare(problem, threads);
    float[] y = task.check();
    long nanos = System.nanoTime() - begin;
    StringBuilder numbers = new StringBuilder();
    for (float value : y) {
      numbers.append(value).append(' ');
    }
    List<String> lines = List.of(Long.toString(nanos), engine.version(), numbers.toString());
    Files.write(Path.of(args[3]), lines);
    System.exit(0); // peers leave threads behind
  }
}
