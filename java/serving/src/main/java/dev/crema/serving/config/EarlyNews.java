package dev.crema.serving.config;

import dev.crema.serving.ServingListener;
import dev.crema.serving.repository.VersionStatus;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps what a repository tells while it opens for listeners that need the repository to be made.
 */
final class EarlyNews implements ServingListener {
  private final List<VersionStatus> early = new ArrayList<>();
  private ServingListener listener; // null: there is none yet

  @Override
  public synchronized void changed(VersionStatus status) {
    if (listener == null) {
      early.add(status);
    } else {
      listener.changed(status);
    }
  }

  /** Tells it what was told before, and all from now on. */
  synchronized void passTo(ServingListener other) {
    listener = other;
    early.forEach(other::changed);
    early.clear();
  }
}
