package dev.crema.serving.inference;

import java.util.concurrent.CompletableFuture;

/** Answers requests. Thread-safe. */
public interface Inference {
  /**
   * Checks a request against its model's signature and answers it, now or when its batch has been
   * computed.
   *
   * @return completes on whatever thread computed it; exceptionally with a {@link ServingException}
   *     and nothing else
   */
  CompletableFuture<InferenceResponse> infer(InferenceRequest request);
}
