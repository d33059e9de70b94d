package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.cli.CommandRun.Result;
import dev.crema.nn.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OptimizeCommandTest {
  @TempDir private Path folder;
  private Path data;
  private Path dense;
  private Path out;

  @BeforeEach
  void trainAModel() throws IOException {
    data = CommandRun.flowers(folder);
    dense = folder.resolve("dense");
    out = folder.resolve("small");
    Result train =
        run("train", "--data", "" + data, "--model", "mlp:96,32", "--out", "" + dense, "--json");
    assertThat(train.code()).as(train.err()).isZero();
  }

  private static Result run(String... args) {
    return CommandRun.run(args);
  }

  private Result optimize(String... more) {
    List<String> args =
        new ArrayList<>(
            List.of("optimize", "--model", "" + dense, "--data", "" + data, "--out", "" + out));
    args.addAll(List.of(more));
    return run(args.toArray(new String[0]));
  }

  @Test
  void keepsASmallerModelThatPredictsAndShowsWhatItTried() throws IOException {
    Path plot = folder.resolve("pareto.svg");
    Result r =
        optimize(
            "--target",
            "size",
            "--max-accuracy-drop",
            "0.05",
            "--epochs",
            "1",
            "--plot",
            "" + plot,
            "--threads",
            "1",
            "--json");
    assertThat(r.code()).as(r.err()).isZero();
    assertThat(r.err())
        .contains("int8 (min-max) … passed", "75 % unstructured … ")
        .contains("tried", "outcome", "batch 32", "file size", "non-zeros", "Kept: ")
        .contains("Only 80 examples are there to judge by");
    JsonNode json = r.json();
    assertThat(json.get("paid").asBoolean()).isTrue();
    assertThat(json.at("/trials/0/outcome").asText()).isEqualTo("original");
    assertThat(json.get("trials").size()).isGreaterThan(10);
    assertThat(json.at("/after/file_bytes").asLong())
        .isLessThan(json.at("/before/file_bytes").asLong());
    assertThat(json.at("/after/accuracy").asDouble())
        .isGreaterThanOrEqualTo(json.at("/before/accuracy").asDouble() - 0.05);
    assertThat(json.at("/before/latency_us_batch_32").asDouble()).isPositive();
    assertThat(Files.readString(plot)).contains("Pareto front", "file size (kB)");
    try (Model kept = Model.load(out)) {
      assertThat(kept.metadata().at("/compression/form").asText())
          .isEqualTo(json.get("kept").asText());
    }
    Result evaluate = run("evaluate", "--model", "" + out, "--data", "" + data);
    assertThat(evaluate.code()).as(evaluate.err()).isZero();
  }

  @Test
  void whereNothingPaysOutGetsTheModelAsItWas() {
    Result r = optimize("--budget", "0.0000001", "--threads", "1", "--json");
    assertThat(r.code()).as(r.err()).isZero();
    assertThat(r.err())
        .contains("Nothing paid: no form is faster", "Model: " + out + " (as it was)")
        .contains("Not all was tried: the time for the search");
    assertThat(r.json().get("paid").asBoolean()).isFalse();
    assertThat(r.json().get("kept").asText()).isEqualTo("original");
    assertThat(r.json().has("after")).isFalse();
    try (Model before = Model.load(dense);
        Model after = Model.load(out)) {
      assertThat(after.get("dense_1/kernel")).isEqualTo(before.get("dense_1/kernel"));
      assertThat(after.metadata()).isEqualTo(before.metadata());
    }
  }

  @Test
  void wrongUseSaysWhatIsRight() {
    Result drop = optimize("--max-accuracy-drop", "-0.1");
    assertThat(drop.code()).isEqualTo(1);
    assertThat(drop.err()).contains("from 0 to 1, such as 0.005 for half a point; got -0.1");
    assertThat(optimize("--max-accuracy-drop", "NaN").err()).contains("got NaN");
    assertThat(optimize("--epochs", "-1").err()).contains("epochs must be at least 0, got -1");
    assertThat(optimize("--budget", "0").err()).contains("budget must be more than no time");
    assertThat(optimize("--plot", "p.gif").err()).contains("A plot is an .svg or a .png file");
    assertThat(optimize("--validation-split", "0").err()).contains("no examples to judge by");
    assertThat(optimize("--target", "speed").code()).isEqualTo(2);
    assertThat(optimize("--metric", "r2").err()).contains("cannot be judged by R²");
    assertThat(optimize("--metric", "precision").code()).isEqualTo(2);
    assertThat(run("optimize", "--model", "" + dense).code()).isEqualTo(2);
    assertThat(run("optimize", "--help").out()).contains("LATENCY, SIZE", "--max-accuracy-drop");
    assertThat(out).doesNotExist();
    Path int8 = folder.resolve("int8");
    Result made =
        run(
            "quantize",
            "--model",
            "" + dense,
            "--data",
            "" + data,
            "--out",
            "" + int8,
            "--keep-slower");
    assertThat(made.code()).as(made.err()).isZero();
    Result quantized =
        run("optimize", "--model", "" + int8, "--data", "" + data, "--out", "" + out);
    assertThat(quantized.code()).isEqualTo(1);
    assertThat(quantized.err()).contains("quantized already", "it was made of");
  }
}
