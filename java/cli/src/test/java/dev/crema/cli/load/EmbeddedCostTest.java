package dev.crema.cli.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.serving.inference.ServingException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both ways to a prediction are measured, and give the same. How fast they are is for bench. */
class EmbeddedCostTest {
  @TempDir private Path models;

  @Test
  void bothWaysAreMeasured() {
    try (Model model =
        Model.sequential(5).dense(3, Activation.RELU).dense(2, Activation.SOFTMAX).build(1)) {
      model.save(models.resolve("small").resolve("7"));
    }
    EmbeddedCost.Result result = EmbeddedCost.measure(models, "small", 25);
    assertThat(result.calls()).isEqualTo(20);
    assertThat(result.direct()).isPositive().isLessThanOrEqualTo(result.directP99());
    assertThat(result.served()).isPositive().isLessThanOrEqualTo(result.servedP99());
    assertThat(result.added()).isEqualTo(result.served() - result.direct());
  }

  @Test
  void aModelMustBeThere() {
    assertThatThrownBy(() -> EmbeddedCost.measure(models, "nobody", 10))
        .isInstanceOf(ServingException.class)
        .hasMessageContaining("nobody");
  }
}
