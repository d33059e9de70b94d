package dev.crema.serving.inference;

import dev.crema.serving.repository.ModelReference;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One request for predictions.
 *
 * @param id given by the client, or "": comes back with the answer and joins ground truth to it
 * @param model which model, and which version of it
 * @param inputs by name; all have the same number of examples
 * @param outputs the names of those wanted; empty for all
 * @param deadlineNanos on {@link System#nanoTime}'s clock: when nobody waits for the answer any
 *     more; {@link #NO_DEADLINE} for never
 * @param priority higher ones leave the queue first; 0 is usual
 * @param protocol what it came by, for metrics: "embedded", "tfs-rest", "tfs-grpc", "oip-rest",
 *     "oip-grpc"
 */
public record InferenceRequest(
    String id,
    ModelReference model,
    Map<String, TensorValue> inputs,
    List<String> outputs,
    long deadlineNanos,
    int priority,
    String protocol) {
  public static final long NO_DEADLINE = Long.MAX_VALUE;

  public InferenceRequest {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(inputs, "inputs");
    Objects.requireNonNull(outputs, "outputs");
    Objects.requireNonNull(protocol, "protocol");
  }

  /** Without id, deadline or priority, for all outputs, from the same process. */
  public static InferenceRequest of(ModelReference model, Map<String, TensorValue> inputs) {
    return new InferenceRequest("", model, inputs, List.of(), NO_DEADLINE, 0, "embedded");
  }
}
