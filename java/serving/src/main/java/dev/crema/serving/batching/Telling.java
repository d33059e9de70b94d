package dev.crema.serving.batching;

import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ShadowComparison;
import io.opentelemetry.context.Context;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells a listener; what it throws is logged and harms no request and no thread. */
final class Telling {
  private static final Logger LOG = LoggerFactory.getLogger(Telling.class);

  private final ServingListener listener;

  Telling(ServingListener listener) {
    this.listener = listener;
  }

  void received(InferenceRequest request) {
    try {
      listener.received(request);
    } catch (RuntimeException | Error e) {
      LOG.warn("A listener failed", e);
    }
  }

  void queued(VersionQueue queue, int requests) {
    try {
      listener.queued(queue.version.name(), queue.version.version(), requests);
    } catch (RuntimeException | Error e) {
      LOG.warn("A listener failed", e);
    }
  }

  /** As the other, within the span in which the request came; null for none. */
  void answered(InferenceRequest request, InferenceResponse response, long nanos, Context context) {
    if (context == null) {
      answered(request, response, nanos);
    } else {
      context.wrap(() -> answered(request, response, nanos)).run();
    }
  }

  void answered(InferenceRequest request, InferenceResponse response, long nanos) {
    try {
      listener.answered(request, response, nanos);
    } catch (RuntimeException | Error e) {
      LOG.warn("A listener failed", e);
    }
  }

  /** As the other, within the span in which the request came; null for none. */
  void refused(InferenceRequest request, ServingException why, long nanos, Context context) {
    if (context == null) {
      refused(request, why, nanos);
    } else {
      context.wrap(() -> refused(request, why, nanos)).run();
    }
  }

  void refused(InferenceRequest request, ServingException why, long nanos) {
    try {
      listener.refused(request, why, nanos);
    } catch (RuntimeException | Error e) {
      LOG.warn("A listener failed", e);
    }
  }

  void computed(VersionQueue queue, int requests, int examples, long nanos) {
    try {
      listener.computed(queue.version.name(), queue.version.version(), requests, examples, nanos);
    } catch (RuntimeException | Error e) {
      LOG.warn("A listener failed", e);
    }
  }

  void compared(ShadowComparison comparison) {
    try {
      listener.compared(comparison);
    } catch (RuntimeException | Error e) {
      LOG.warn("A listener failed", e);
    }
  }
}
