package dev.crema.serving;

import dev.crema.memory.ElementType;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.ModelReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/** Models on the disk and requests for them. */
public final class Served {
  public static final int FEATURES = 4;

  private Served() {}

  /** y = 1000 · version + the sum of x: exact for small whole numbers, in whatever order. */
  public static void adder(Path models, String name, long version) {
    try (Model model = Model.sequential(FEATURES).dense(1).build(1)) {
      model.set("dense_1/kernel", new float[] {1, 1, 1, 1});
      model.set("dense_1/bias", new float[] {1000 * version});
      model.save(models.resolve(name).resolve(Long.toString(version)));
    }
  }

  /** 100-64-64-10. */
  public static Model mlp(long seed) {
    return Model.sequential(100)
        .dense(64, Activation.RELU)
        .dense(64, Activation.RELU)
        .dense(10)
        .build(seed);
  }

  public static TensorValue floats(float[] values, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new TensorValue(ElementType.FLOAT32, shape, bytes);
  }

  public static float[] floats(TensorValue value) {
    float[] values = new float[value.data().remaining() / 4];
    value.data().asFloatBuffer().get(values);
    return values;
  }

  public static float[] random(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** Small whole numbers. */
  public static float[] whole(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextInt(100);
    }
    return values;
  }

  /** For the input "x" of {@code rows} examples. */
  public static InferenceRequest request(String model, float[] values, int rows) {
    return request(ModelReference.of(model), values, rows);
  }

  public static InferenceRequest request(ModelReference model, float[] values, int rows) {
    long width = rows == 0 ? FEATURES : values.length / rows;
    return InferenceRequest.of(model, Map.of("x", floats(values, rows, width)));
  }

  /** Another deadline, priority and way it came by. */
  public static InferenceRequest request(
      InferenceRequest r, String id, long deadline, int priority, String protocol) {
    return new InferenceRequest(
        id, r.model(), r.inputs(), r.outputs(), deadline, priority, protocol);
  }

  /** The only output. */
  public static float[] output(InferenceResponse response) {
    return floats(response.outputs().values().iterator().next());
  }
}
