package dev.crema.serving.tracing;

import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.InferenceResponse.Timings;
import dev.crema.serving.inference.ServingException;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;

/**
 * Writes onto the span of a request which model answered, and where its time went. Thread-safe;
 * does nothing where a trace is not recorded.
 */
public final class SpanFacts implements ServingListener {
  private static final AttributeKey<String> MODEL = AttributeKey.stringKey("crema.model.name");
  private static final AttributeKey<Long> VERSION = AttributeKey.longKey("crema.model.version");
  private static final AttributeKey<String> PROTOCOL = AttributeKey.stringKey("crema.protocol");
  private static final AttributeKey<String> REQUEST = AttributeKey.stringKey("crema.request.id");
  private static final AttributeKey<Long> BATCH = AttributeKey.longKey("crema.batch.examples");
  private static final AttributeKey<Double> QUEUE = AttributeKey.doubleKey("crema.queue.seconds");
  private static final AttributeKey<Double> COMPUTE =
      AttributeKey.doubleKey("crema.compute.seconds");
  private static final AttributeKey<String> ERROR = AttributeKey.stringKey("crema.error.code");
  private static final double NANOS = 1e9;

  @Override
  public void answered(InferenceRequest request, InferenceResponse response, long totalNanos) {
    Span span = Span.current();
    if (span.isRecording()) {
      Timings timings = response.timings();
      asked(span, request);
      span.setAttribute(MODEL, response.model());
      span.setAttribute(VERSION, response.version());
      span.setAttribute(BATCH, (long) timings.batch());
      span.setAttribute(QUEUE, timings.queue() / NANOS);
      span.setAttribute(COMPUTE, timings.compute() / NANOS);
    }
  }

  @Override
  public void refused(InferenceRequest request, ServingException why, long totalNanos) {
    Span span = Span.current();
    if (span.isRecording()) {
      asked(span, request);
      span.setAttribute(MODEL, request.model().name());
      span.setAttribute(ERROR, why.code().name());
    }
  }

  @Override
  public void malformed(String protocol, String model, ServingException why) {
    Span span = Span.current();
    if (span.isRecording()) {
      span.setAttribute(PROTOCOL, protocol);
      span.setAttribute(MODEL, model);
      span.setAttribute(ERROR, why.code().name());
    }
  }

  private static void asked(Span span, InferenceRequest request) {
    span.setAttribute(PROTOCOL, request.protocol());
    if (!request.id().isEmpty()) {
      span.setAttribute(REQUEST, request.id());
    }
  }
}
