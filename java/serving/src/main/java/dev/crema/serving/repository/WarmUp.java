package dev.crema.serving.repository;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.device.KernelException;
import dev.crema.memory.ElementType;
import dev.crema.nn.Predictor;
import dev.crema.serving.execution.Predictors;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a version answer before it serves, so that no request pays for first times. Every predictor
 * computes zeros; then come the requests of the file {@value #FILE} in the version's folder, if
 * there is one:
 *
 * <pre>{"requests": [{"inputs": {"x": [[0.1, 0.2]]}, "repeat": 10}, {"rows": [{"age": "39"}]}]}
 * </pre>
 *
 * {@code inputs} are nested arrays by the input's name, {@code rows} are for models that learnt
 * from a table; {@code repeat} may be left out. A request that fails keeps the version from
 * serving.
 */
final class WarmUp {
  static final String FILE = "warmup.json";
  private static final int RUNS = 5; // of each plan
  private static final int MOST_REPEATS = 100_000;

  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

  private WarmUp() {}

  /** Makes predictors ahead and has them compute zeros. */
  static void zeros(LoadedVersion version) {
    version.predictors().prepare(WarmUp::zeros);
  }

  private static void zeros(Predictor predictor) {
    try {
      for (int run = 0; run < RUNS; run++) {
        predictor.run(run == 0 ? predictor.capacity() : 1);
      }
    } catch (KernelException e) {
      LOG.debug("A model does not allow zeros, which requests will tell", e);
    }
  }

  /**
   * @throws CremaException naming the request that is wrong or fails
   */
  static void requests(LoadedVersion version, JsonNode file, String where) {
    JsonNode requests = file.path("requests");
    if (!requests.isArray()) {
      throw new CremaException(where + ": expected {\"requests\": [...]}");
    }
    for (int i = 0; i < requests.size(); i++) {
      try {
        request(version, requests.get(i));
      } catch (RuntimeException e) {
        throw new CremaException(where + ", request " + i + ": " + e.getMessage(), e);
      }
    }
  }

  private static void request(LoadedVersion version, JsonNode request) {
    Signature signature = version.signature();
    Map<String, TensorValue> inputs = new LinkedHashMap<>();
    if (request.has("rows")) {
      inputs.put(signature.inputs().get(0).name(), version.encode(rows(request.get("rows"))));
    } else {
      for (TensorSpec spec : signature.inputs()) {
        JsonNode values = request.path("inputs").path(spec.name());
        if (!values.isArray()) {
          throw new CremaException("expected an array of examples for input '" + spec.name() + "'");
        }
        inputs.put(spec.name(), tensor(spec, values));
      }
    }
    int repeat = request.path("repeat").asInt(1);
    if (repeat < 0 || repeat > MOST_REPEATS) {
      throw new CremaException("repeat is from 0 to " + MOST_REPEATS + ", got " + repeat);
    }
    for (int i = 0; i < repeat; i++) {
      run(version, inputs);
    }
  }

  private static void run(LoadedVersion version, Map<String, TensorValue> inputs) {
    Predictors predictors = version.predictors();
    int rows = (int) inputs.values().iterator().next().rows();
    for (int from = 0; from < rows; from += predictors.maximumBatch()) {
      int count = Math.min(predictors.maximumBatch(), rows - from);
      Predictor predictor = predictors.borrow(count);
      try {
        for (Map.Entry<String, TensorValue> e : inputs.entrySet()) {
          ByteBuffer data = e.getValue().data();
          int example = data.remaining() / rows;
          predictor.write(e.getKey(), 0, data.slice(from * example, count * example));
        }
        predictor.run(count);
      } finally {
        predictors.giveBack(predictor);
      }
    }
  }

  private static List<Map<String, String>> rows(JsonNode array) {
    List<Map<String, String>> rows = new ArrayList<>();
    for (JsonNode object : array) {
      Map<String, String> row = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> e : object.properties()) {
        row.put(e.getKey(), e.getValue().isNull() ? null : e.getValue().asText());
      }
      rows.add(row);
    }
    return rows;
  }

  private static TensorValue tensor(TensorSpec spec, JsonNode values) {
    long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
    shape[0] = values.size();
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(TensorValue.byteSize(spec.type(), shape)))
            .order(ByteOrder.LITTLE_ENDIAN);
    fill(spec, values, shape, 0, bytes);
    return new TensorValue(spec.type(), shape, bytes.flip());
  }

  private static void fill(
      TensorSpec spec, JsonNode node, long[] shape, int axis, ByteBuffer bytes) {
    if (axis == shape.length) {
      put(spec, node, bytes);
      return;
    }
    if (!node.isArray() || node.size() != shape[axis]) {
      throw new CremaException(
          "input "
              + spec
              + " has "
              + shape[axis]
              + " values along axis "
              + axis
              + ", got "
              + (node.isArray() ? node.size() + "" : node.getNodeType() + ""));
    }
    for (JsonNode element : node) {
      fill(spec, element, shape, axis + 1, bytes);
    }
  }

  private static void put(TensorSpec spec, JsonNode value, ByteBuffer bytes) {
    boolean bool = spec.type() == ElementType.BOOL && value.isBoolean();
    if (!bool && !value.isNumber()) {
      throw new CremaException("input " + spec + " takes numbers, got " + value.getNodeType());
    }
    switch (spec.type()) {
      case FLOAT32 -> bytes.putFloat(value.floatValue());
      case INT32 -> bytes.putInt(value.intValue());
      case INT64 -> bytes.putLong(value.longValue());
      case INT8, UINT8 -> bytes.put((byte) value.intValue());
      case BOOL -> bytes.put((byte) (value.asBoolean() ? 1 : 0));
      default -> throw new CremaException("input " + spec + ": this type has no JSON form here");
    }
  }
}
