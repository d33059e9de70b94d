package dev.crema.serving.repository;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * A version of a model and how it is.
 *
 * @param labels that point to it
 * @param error why it could not be loaded; "" if it could
 * @param loadTime reading, checking and warming it took; zero if that has not ended
 * @param bytes off-heap memory of its parameters
 */
public record VersionStatus(
    String model,
    long version,
    State state,
    List<String> labels,
    String error,
    Duration loadTime,
    long bytes) {
  /** As TensorFlow Serving's. */
  public enum State {
    START,
    LOADING,
    AVAILABLE,
    UNLOADING,
    END
  }

  public VersionStatus {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(error, "error");
    Objects.requireNonNull(loadTime, "loadTime");
    labels = List.copyOf(labels);
  }
}
