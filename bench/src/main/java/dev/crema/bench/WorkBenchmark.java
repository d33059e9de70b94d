package dev.crema.bench;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * One work in one engine. Whether a peer's result is Crema's is checked before it is timed. Each
 * iteration is a turn, which begins when the process that measures says so.
 */
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

  /** Where {@link Contender} waits on the loopback interface. */
  @Param("0")
  public int port;

  private Limit limit;
  private Task task;
  private Turns turns;

  /** Makes the work ready and compares its result. */
  @Setup
  public void prepare() throws IOException {
    turns = Turns.of(port);
    limit = Works.named(work).limit();
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

  /** Waits for its turn and measures the limit of that moment. */
  @Setup(Level.Iteration)
  public void begin() throws IOException {
    turns.await();
    turns.tell(limit.measure(threads));
  }

  /** The work, once. */
  @Benchmark
  public void run() {
    task.run();
  }

  /** Gives memory back, once nobody has a turn any more. */
  @TearDown
  public void close() throws IOException {
    turns.await();
    turns.close();
    task.close();
  }
}
