package dev.crema.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.serving.batching.BatchingInference;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Served models within a Java service. */
class PredictionsTest {
  @TempDir Path models;

  @Test
  void aServiceAsksAModelWithPlainArrays() {
    Served.adder(models, "adder", 3);
    try (ModelRepository repository =
            ModelRepository.of(models).pollInterval(Duration.ZERO).open();
        BatchingInference inference = new BatchingInference(repository, new ServingListener() {})) {
      var adder = new Predictions(repository, inference, ModelReference.of("adder"));
      assertThat(adder.predict(1, 2, 3, 4)).containsExactly(3010);
      assertThat(adder.predict(new float[][] {{1, 0, 0, 0}, {0, 2, 0, 0}}))
          .isDeepEqualTo(new float[][] {{3001}, {3002}});
      assertThat(adder.predict(new float[0][])).isEmpty();
      ByteBuffer direct = ByteBuffer.allocateDirect(16).order(ByteOrder.LITTLE_ENDIAN);
      direct.asFloatBuffer().put(new float[] {5, 5, 5, 5});
      var x = new TensorValue(dev.crema.memory.ElementType.FLOAT32, new long[] {1, 4}, direct);
      assertThat(adder.predict(Map.of("x", x)).get("dense_1").floats()).containsExactly(3020);
      assertThatThrownBy(() -> adder.predict(1, 2, 3))
          .isInstanceOf(ServingException.class)
          .hasMessage("Model adder takes x FLOAT32[-1, 4], got 3 FLOAT32 values for 1 example");
      repository.unload("adder");
      assertThatThrownBy(() -> adder.predict(1, 2, 3, 4))
          .isInstanceOfSatisfying(
              ServingException.class, e -> assertThat(e.code()).isEqualTo(Code.NOT_FOUND));
    }
  }
}
