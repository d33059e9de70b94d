package dev.crema.serving.monitoring;

import dev.crema.memory.ElementType;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.VersionStatus;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What a server would tell its listeners. */
final class Events {
  private Events() {}

  static InferenceRequest request(String id, ModelReference model, float[]... rows) {
    return new InferenceRequest(
        id,
        model,
        Map.of("x", tensor(rows)),
        List.of(),
        InferenceRequest.NO_DEADLINE,
        0,
        "tfs-rest");
  }

  static InferenceRequest request(String model, float[]... rows) {
    return request("", ModelReference.of(model), rows);
  }

  static InferenceResponse response(String id, String model, long version, float[]... rows) {
    return new InferenceResponse(
        id,
        model,
        version,
        Map.of("y", tensor(rows)),
        new InferenceResponse.Timings(1_000, 2_000, 30_000, rows.length));
  }

  static InferenceResponse response(String model, long version, float[]... rows) {
    return response("", model, version, rows);
  }

  static VersionStatus status(String model, long version, VersionStatus.State state, String error) {
    return new VersionStatus(
        model, version, state, List.of(), error, Duration.ofMillis(12), 1 << 20);
  }

  static VersionStatus available(String model, long version) {
    return status(model, version, VersionStatus.State.AVAILABLE, "");
  }

  static TensorValue tensor(float[]... rows) {
    int width = rows.length == 0 ? 0 : rows[0].length;
    ByteBuffer data = ByteBuffer.allocate(4 * width * rows.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float[] row : rows) {
      for (float value : row) {
        data.putFloat(value);
      }
    }
    return new TensorValue(ElementType.FLOAT32, new long[] {rows.length, width}, data.flip());
  }
}
