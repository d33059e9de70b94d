package dev.crema.cli;

import static dev.crema.cli.CommandRun.run;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizeCommandTest {
  @TempDir private Path folder;

  private Path points() throws IOException {
    Random random = new Random(1);
    StringBuilder csv = new StringBuilder("a,b,class\n");
    for (int i = 0; i < 300; i++) {
      double a = random.nextGaussian();
      double b = random.nextGaussian();
      csv.append(String.format(Locale.ROOT, "%.4f,%.4f,%s%n", a, b, a > b ? "over" : "under"));
    }
    return Files.writeString(folder.resolve("points.csv"), csv);
  }

  @Test
  void quantizesMeasuresAndSavesAModelThatPredictsAndEvaluates() throws IOException {
    String data = "" + points();
    String model = "" + folder.resolve("model");
    String small = "" + folder.resolve("small.zip");
    run("train", "--data", data, "--out", model, "--epochs", "20", "--model", "mlp:64,64");
    for (String calibration : new String[] {"min-max", "entropy"}) {
      CommandRun.Result r =
          run(
              "quantize",
              "--model",
              model,
              "--data",
              data,
              "--out",
              small,
              "--method",
              "static",
              "--calibration",
              calibration,
              "--json");
      assertThat(r.err()).contains("latency, batch 32", "int8: ", "output");
      assertThat(r.code()).isZero();
      JsonNode json = Json.parse(r.out(), "standard output");
      assertThat(json.at("/calibration").asText()).isEqualTo(calibration);
      assertThat(json.at("/layers")).hasSize(3);
      double before = json.at("/before/accuracy").asDouble();
      assertThat(before).isGreaterThan(0.9);
      assertThat(json.at("/after/accuracy").asDouble()).isGreaterThan(before - 0.02);
      assertThat(json.at("/after/file_bytes").asLong())
          .isLessThan(json.at("/before/file_bytes").asLong());
    }
    CommandRun.Result evaluate = run("evaluate", "--model", small, "--data", data, "--json");
    assertThat(evaluate.code()).isZero();
    CommandRun.Result again = run("quantize", "--model", small, "--data", data, "--out", small);
    assertThat(again.err()).contains("quantized already");
    assertThat(again.code()).isEqualTo(1);
  }

  @Test
  void wrongUseIsExplained() throws IOException {
    String data = "" + points();
    String out = "" + folder.resolve("out");
    CommandRun.Result r =
        run("quantize", "--model", "m", "--data", data, "--out", out, "--calibration", "x");
    assertThat(r.err()).contains("moving-average");
    assertThat(r.code()).isEqualTo(2);
    r = run("quantize", "--model", "m", "--data", data, "--out", out, "--method", "x");
    assertThat(r.code()).isEqualTo(2);
  }
}
