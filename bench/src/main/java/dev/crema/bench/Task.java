package dev.crema.bench;

/** A problem made ready in one engine. One thread uses it. */
public interface Task extends AutoCloseable {
  /**
   * What the results are compared on: {@link Problem} says what that is. Called once, before the
   * first {@link #run}.
   */
  float[] check();

  /** Computes once; what is timed. */
  void run();

  @Override
  void close();
}
