package dev.crema.bench.gpu;

import java.util.List;

/** A work made ready on a device. One thread uses it. */
interface CardTask extends AutoCloseable {
  /** Computes once and waits until it is done; what is timed. */
  void run();

  /** The mean losses of so many steps from the initial weights; of what is no training none. */
  default double[] losses(int steps) {
    return new double[0];
  }

  /**
   * What came of the last run, to be looked at: it must be finite. Costs a copy to the host.
   *
   * @return null if that is what {@link #losses} says
   */
  default float[] result() {
    return null;
  }

  /** Which ways the card has chosen to compute it; empty where there is no choice. */
  default List<String> ways() {
    return List.of();
  }

  @Override
  void close();
}
