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
 * The main class of a measuring JVM: one work in one engine, by JMH, the machine's limit just
 * before and after. {@link Bench} starts it with the engine's environment, which JMH's own forks
 * can't be given.
 */
final class Fork {
  private static final int HEAP_ROUNDS = 20;

  private Fork() {}

  /**
   * How long is measured.
   *
   * @param starts of a JVM, for {@link Starts}
   */
  record Length(int warmupMillis, int iterations, int iterationMillis, int starts) {
    /** A peer's allocator may take a second until it keeps its pages. */
    static final Length FULL = new Length(2000, 5, 300, 9);

    static final Length QUICK = new Length(300, 3, 100, 3);
  }

  /** Arguments: work, engine, threads, warm-up ms, iterations, ms of an iteration, result file. */
  public static void main(String[] args) throws RunnerException, IOException {
    int threads = Integer.parseInt(args[2]);
    Length length =
        new Length(
            Integer.parseInt(args[3]), Integer.parseInt(args[4]), Integer.parseInt(args[5]), 0);
    Work work = Works.named(args[0]);
    Limit.Rates before = work.limit().measure(threads);
    RunResult result = run(args[0], args[1], threads, length);
    Limit.Rates rates = before.max(work.limit().measure(threads));
    Measurement measured =
        new Measurement(
            args[0],
            args[1],
            threads,
            nanos(result),
            heapBytes(work, args[1], threads),
            1e9 * work.limit().seconds(rates),
            work.limit().describe(rates),
            work.limit().isArithmetic(rates),
            Engines.named(args[1]).version());
    Files.write(Path.of(args[6]), Json.bytes(Json.mapper().valueToTree(measured)));
    System.exit(0); // peers leave threads behind
  }

  private static RunResult run(String work, String engine, int threads, Length length)
      throws RunnerException {
    Options options =
        new OptionsBuilder()
            .include("^" + WorkBenchmark.class.getName() + "\\.run$")
            .param("work", work)
            .param("engine", engine)
            .param("threads", Integer.toString(threads))
            .forks(0) // this JVM is the fork
            .warmupIterations(1)
            .warmupTime(TimeValue.milliseconds(length.warmupMillis))
            .measurementIterations(length.iterations)
            .measurementTime(TimeValue.milliseconds(length.iterationMillis))
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
