package dev.crema.bench;

import com.sun.management.ThreadMXBean;
import dev.crema.io.Json;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * The main class of a measuring JVM: one work in one engine, by JMH, an iteration whenever it is
 * its turn. {@link Contender} starts it with the engine's environment, which JMH's own forks can't
 * be given.
 */
final class Fork {
  private static final int HEAP_ROUNDS = 20;

  private Fork() {}

  /**
   * How long is measured.
   *
   * @param starts of a JVM, for {@link Starts}
   */
  record Length(int warmupMillis, int turns, int turnMillis, int starts) {
    /** A peer's allocator may take a second until it keeps its pages. */
    static final Length FULL = new Length(2000, 15, 100, 9);

    static final Length QUICK = new Length(300, 3, 100, 3);
  }

  /**
   * What a JVM measured.
   *
   * @param nanos of one run, one number a turn
   * @param heapBytes allocated on the Java heap by one run
   * @param version of the engine
   */
  record Timed(List<Double> nanos, double heapBytes, String version) {}

  /** Arguments: work, engine, threads, warm-up ms, turns, ms of a turn, port, result file. */
  public static void main(String[] args) throws RunnerException, IOException {
    int threads = Integer.parseInt(args[2]);
    Length length =
        new Length(
            Integer.parseInt(args[3]), Integer.parseInt(args[4]), Integer.parseInt(args[5]), 0);
    RunResult result = run(args[0], args[1], threads, length, args[6]);
    Timed timed =
        new Timed(
            nanos(result),
            heapBytes(Works.named(args[0]), args[1], threads),
            Engines.named(args[1]).version());
    Files.write(Path.of(args[7]), Json.bytes(Json.mapper().valueToTree(timed)));
    System.exit(0); // peers leave threads behind
  }

  private static RunResult run(String work, String engine, int threads, Length length, String port)
      throws RunnerException {
    Options options =
        new OptionsBuilder()
            .include("^" + WorkBenchmark.class.getName() + "\\.run$")
            .param("work", work)
            .param("engine", engine)
            .param("threads", Integer.toString(threads))
            .param("port", port)
            .forks(0) // this JVM is the fork
            .warmupIterations(1)
            .warmupTime(TimeValue.milliseconds(length.warmupMillis))
            .measurementIterations(length.turns)
            .measurementTime(TimeValue.milliseconds(length.turnMillis))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();
    return new Runner(options).runSingle();
  }

  private static List<Double> nanos(RunResult result) {
    List<Double> nanos = new ArrayList<>();
    for (BenchmarkResult benchmark : result.getBenchmarkResults()) {
      Collection<IterationResult> iterations = benchmark.getIterationResults();
      iterations.forEach(i -> nanos.add(i.getPrimaryResult().getScore()));
    }
    return nanos;
  }

  /**
   * What one run allocates on this thread's heap, exactly: JMH's own profiler counts what JMH
   * allocates too.
   */
  private static double heapBytes(Work work, String engine, int threads) {
    ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    try (Task task = Engines.named(engine).prepare(work.problem(), threads)) {
      task.check();
      long least = Long.MAX_VALUE;
      for (int round = 0; round < HEAP_ROUNDS; round++) {
        long before = bean.getThreadAllocatedBytes(thread);
        task.run();
        long after = bean.getThreadAllocatedBytes(thread);
        long asking = bean.getThreadAllocatedBytes(thread) - after;
        least = Math.min(least, after - before - asking);
      }
      return Math.max(0, least);
    }
  }
}
