package dev.crema.serving;

import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.VersionStatus;

/**
 * Is told what happens in a server: metrics, drift, logs. Called on the threads that serve: it must
 * be quick, thread-safe, and throw nothing.
 */
public interface ServingListener {
  /** A request was answered. The tensors may be read now, not later. */
  default void answered(InferenceRequest request, InferenceResponse response, long totalNanos) {}

  /** A request was refused or failed; its model or version may not exist. */
  default void refused(InferenceRequest request, ServingException why, long totalNanos) {}

  /** A batch was computed: {@code examples} of {@code requests} requests. */
  default void computed(String model, long version, int requests, int examples, long nanos) {}

  /** A version changed its state. */
  default void changed(VersionStatus status) {}
}
