package dev.crema.data;

import dev.crema.CremaException;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What happens with an example that can't be read: an exception, or it is counted and left out. */
final class BadRows {
  private static final Logger LOG = LoggerFactory.getLogger(BadRows.class);

  private final boolean skip;
  private final boolean quiet;
  private final AtomicLong count = new AtomicLong();

  BadRows(boolean skip) {
    this(skip, false);
  }

  private BadRows(boolean skip, boolean quiet) {
    this.skip = skip;
    this.quiet = quiet;
  }

  /** For a further pass over rows whose bad ones were logged already. */
  static BadRows again(boolean skip) {
    return new BadRows(skip, true);
  }

  long count() {
    return count.get();
  }

  /** Throws, or counts; the first one that is left out is logged with its reason. */
  void report(CremaException bad) {
    if (!skip) {
      throw bad;
    }
    if (count.getAndIncrement() == 0 && !quiet) {
      LOG.warn("Left out: {}", bad.getMessage());
    }
  }
}
