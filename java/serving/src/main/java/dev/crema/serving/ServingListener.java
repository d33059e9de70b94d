package dev.crema.serving;

import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ShadowComparison;
import dev.crema.serving.repository.VersionStatus;
import java.util.List;

/**
 * Is told what happens in a server: metrics, drift, logs. Called on the threads that serve: it must
 * be quick, thread-safe, and throw nothing.
 */
public interface ServingListener {
  /** A request came in; {@link #answered} or {@link #refused} follows for it, once. */
  default void received(InferenceRequest request) {}

  /** So many requests wait now for the next batches of a version. */
  default void queued(String model, long version, int requests) {}

  /**
   * A request was answered. The tensors may be read now, not later; the inputs are those that were
   * computed with, also where the client gave rows.
   */
  default void answered(InferenceRequest request, InferenceResponse response, long totalNanos) {}

  /** A request was refused or failed; its model or version may not exist. */
  default void refused(InferenceRequest request, ServingException why, long totalNanos) {}

  /** A protocol could not make a request of what it was sent; the model may not exist, or be "". */
  default void malformed(String protocol, String model, ServingException why) {}

  /** An answer was put into the form of the request's protocol, which took that long. */
  default void serialised(InferenceRequest request, InferenceResponse response, long nanos) {}

  /** A batch was computed: {@code examples} of {@code requests} requests. */
  default void computed(String model, long version, int requests, int examples, long nanos) {}

  /** A copy of a request was computed by a shadow version and compared with the answer. */
  default void compared(ShadowComparison comparison) {}

  /** A version changed its state. */
  default void changed(VersionStatus status) {}

  /** Tells several, in their order. */
  static ServingListener all(List<ServingListener> listeners) {
    return new ServingListeners(listeners);
  }
}
