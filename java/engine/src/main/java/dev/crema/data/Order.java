package dev.crema.data;

/**
 * In which order a reader gives the examples. The same seed gives the same order; every epoch
 * passes another seed.
 *
 * @param seed used only when shuffled
 */
public record Order(boolean shuffled, long seed) {
  private static final Order SEQUENTIAL = new Order(false, 0);

  /** As they stand. */
  public static Order sequential() {
    return SEQUENTIAL;
  }

  /**
   * A uniform random permutation where the data lies in memory, a shuffle within a moving window
   * for streams.
   */
  public static Order shuffled(long seed) {
    return new Order(true, seed);
  }
}
