package dev.crema.compress;

import java.util.Locale;

/** How long a search has gone on, and whether it may go on. */
final class SearchTime {
  private final Compression settings;
  private final long started = System.nanoTime();

  /** Starts now. */
  SearchTime(Compression settings) {
    this.settings = settings;
  }

  /** Ends a search before all was tried. */
  static final class Over extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private Over(String why) {
      super(why, null, false, false);
    }
  }

  /**
   * Asked before whatever takes long.
   *
   * @throws Over if the search was cancelled or its time is over
   */
  void require() {
    if (settings.cancelled.getAsBoolean()) {
      throw new Over("the search was cancelled");
    }
    if (settings.budget != null && System.nanoTime() - started > settings.budget.toNanos()) {
      throw new Over("the time for the search, " + text(settings.budget.toMillis()) + ", is over");
    }
  }

  private static String text(long millis) {
    return millis < 60_000
        ? String.format(Locale.ROOT, "%.1f s", millis / 1e3)
        : String.format(Locale.ROOT, "%.1f minutes", millis / 6e4);
  }

  double seconds() {
    return (System.nanoTime() - started) / 1e9;
  }
}
