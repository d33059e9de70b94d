package dev.crema.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One work in one engine. Whether a peer's result is Crema's is checked before it is timed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class WorkBenchmark {
  /** A name of {@link Works}. */
  @Param("seed-mlp.train.32")
  public String work;

  /** A name of {@link Engines}. */
  @Param(Engines.CREMA)
  public String engine;

  @Param("1")
  public int threads;

  private Task task;

  /** Makes the work ready and compares its result. */
  @Setup
  public void prepare() {
    Problem problem = Works.named(work).problem();
    task = Engines.named(engine).prepare(problem, threads);
    float[] got = task.check();
    if (engine.equals(Engines.CREMA)) {
      Results.requireFinite(got);
      return;
    }
    try (Task reference = Engines.named(Engines.CREMA).prepare(problem, threads)) {
      Results.requireEqual(reference.check(), got, problem.tolerance());
    }
  }

  /** The work, once. */
  @Benchmark
  public void run() {
    task.run();
  }

  /** Gives memory back. */
  @TearDown
  public void close() {
    task.close();
  }
}
