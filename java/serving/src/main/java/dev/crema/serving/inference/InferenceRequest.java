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
 * @param rows instead of inputs, for a model whose signature has columns: values by column name as
 *     they stand in the table, null or "" for a missing one; columns that the model does not know
 *     are passed over. They are encoded by the version that answers; what a regression answers then
 *     is in the table's units
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
    List<Map<String, String>> rows,
    List<String> outputs,
    long deadlineNanos,
    int priority,
    String protocol) {
  public static final long NO_DEADLINE = Long.MAX_VALUE;

  public InferenceRequest {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(inputs, "inputs");
    Objects.requireNonNull(rows, "rows");
    Objects.requireNonNull(outputs, "outputs");
    Objects.requireNonNull(protocol, "protocol");
  }

  /** One that gives tensors. */
  public InferenceRequest(
      String id,
      ModelReference model,
      Map<String, TensorValue> inputs,
      List<String> outputs,
      long deadlineNanos,
      int priority,
      String protocol) {
    this(id, model, inputs, List.of(), outputs, deadlineNanos, priority, protocol);
  }

  /** Without id, deadline or priority, for all outputs, from the same process. */
  public static InferenceRequest of(ModelReference model, Map<String, TensorValue> inputs) {
    return new InferenceRequest("", model, inputs, List.of(), NO_DEADLINE, 0, "embedded");
  }

  /** As {@link #of}, giving rows of the table that the model learnt from. */
  public static InferenceRequest ofRows(ModelReference model, List<Map<String, String>> rows) {
    return new InferenceRequest("", model, Map.of(), rows, List.of(), NO_DEADLINE, 0, "embedded");
  }

  /** The same with these inputs instead of its inputs and rows. */
  public InferenceRequest withInputs(Map<String, TensorValue> computed) {
    return new InferenceRequest(
        id, model, computed, List.of(), outputs, deadlineNanos, priority, protocol);
  }
}
