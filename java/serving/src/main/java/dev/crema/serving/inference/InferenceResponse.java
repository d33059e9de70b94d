package dev.crema.serving.inference;

import java.util.Map;
import java.util.Objects;

/**
 * The answer to an {@link InferenceRequest}.
 *
 * @param id the request's
 * @param version of the model that answered
 * @param outputs by name, in the model's order; the caller's own
 */
public record InferenceResponse(
    String id, String model, long version, Map<String, TensorValue> outputs, Timings timings) {
  public InferenceResponse {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(outputs, "outputs");
    Objects.requireNonNull(timings, "timings");
  }

  /**
   * Where its time went, in nanoseconds.
   *
   * @param batch examples that were computed together
   */
  public record Timings(long queue, long assembly, long compute, int batch) {
    public static final Timings NONE = new Timings(0, 0, 0, 0);
  }
}
