package dev.crema.serving.monitoring;

/** How many examples a second a training learns from, over the last second or so. */
final class Speed {
  private static final long INTERVAL = 1_000_000_000;

  private long since;
  private long examplesThen;
  private volatile long examples;
  private volatile double perSecond = Double.NaN;

  /** Called, as those below, on the training thread. */
  void begin(long nanoTime) {
    since = nanoTime;
    examplesThen = 0;
    examples = 0;
  }

  void examples(long now, long nanoTime) {
    examples = now;
    long passed = nanoTime - since;
    // The first figure comes soon, later ones are means.
    if (passed >= INTERVAL || Double.isNaN(perSecond) && passed > INTERVAL / 20) {
      perSecond = (now - examplesThen) * 1e9 / passed;
      since = nanoTime;
      examplesThen = now;
    }
  }

  void end() {
    perSecond = 0;
  }

  /** NaN until it is known. */
  double perSecond() {
    return perSecond;
  }

  long examples() {
    return examples;
  }
}
