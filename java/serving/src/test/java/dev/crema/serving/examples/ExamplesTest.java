package dev.crema.serving.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.client.WebClient;
import dev.crema.serving.ModelServer;
import dev.crema.serving.Served;
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
}
