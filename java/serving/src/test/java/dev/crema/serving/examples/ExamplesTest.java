package dev.crema.serving.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.client.WebClient;
import dev.crema.data.Mnist;
import dev.crema.serving.ModelServer;
import dev.crema.serving.Served;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The code that the documentation shows works. */
@Timeout(60)
class ExamplesTest {
  @TempDir private Path folder;

  @Test
  void aPlainServiceAnswers() {
    Served.adder(folder, "fraud", 1);
    try (ModelServer server = PlainService.start(folder, 0)) {
      String answer =
          WebClient.of(server.uri())
              .blocking()
              .post("/v1/models/fraud:predict", "{\"instances\": [[1, 2, 3, 4]]}")
              .contentUtf8();
      assertThat(answer.replaceAll("\\s", "")).isEqualTo("{\"predictions\":[[1010.0]]}");
    }
  }

  @Test
  void aBeanAnswers() {
    Served.adder(folder, "fraud", 2);
    try (FraudCheck check = new FraudCheck(folder)) {
      assertThat(check.score(1, 2, 3, 4)).isEqualTo(2010);
    }
  }

  @Test
  void aServiceThatTrainsAndServesShowsBothInItsOwnRegistry() {
    MeterRegistry registry = new SimpleMeterRegistry();
    Mnist digits = Mnist.sample10x10();
    try (LearningService service = new LearningService(folder, registry)) {
      service.learn(digits.train().take(1000), digits.test(), 1);
      double first = metric(registry, "val_loss");
      assertThat(first).isPositive();
      assertThat(registry.get("crema.training.epoch").gauge().value()).isEqualTo(2);
      assertThat(service.probabilities(new float[100])).hasSize(10);
      assertThat(requests(registry, "1")).isEqualTo(1);
      service.learn(digits.train().take(2000), digits.test(), 2);
      assertThat(metric(registry, "val_loss"))
          .as("a later training takes the place of the former")
          .isNotEqualTo(first);
      assertThat(registry.get("crema.training.examples").functionCounter().count())
          .isEqualTo(2 * 2000);
      service.probabilities(new float[100]);
      assertThat(requests(registry, "2")).isEqualTo(1);
    }
  }

  private static double requests(MeterRegistry registry, String version) {
    return registry
        .get("crema.requests")
        .tags("model", "digits", "version", version, "protocol", "embedded", "code", "OK")
        .counter()
        .count();
  }

  private static double metric(MeterRegistry registry, String name) {
    return registry
        .get("crema.training.metric")
        .tags("run", "digits", "metric", name)
        .gauge()
        .value();
  }
}
