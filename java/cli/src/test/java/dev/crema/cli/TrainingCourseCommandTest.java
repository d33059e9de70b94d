package dev.crema.cli;

import static dev.crema.cli.CommandRun.flowers;
import static dev.crema.cli.CommandRun.run;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.cli.CommandRun.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a training leaves behind, and how it goes on or stops. */
class TrainingCourseCommandTest {
  @TempDir private Path folder;

  @Test
  void aResumedTrainingGivesTheSameBitsAsOneThatNeverStopped() throws IOException {
    Path data = flowers(folder);
    Path whole = folder.resolve("whole");
    Path parts = folder.resolve("parts");
    assertThat(run("train", "--data", "" + data, "--out", "" + whole, "--epochs", "4").code())
        .isZero();
    assertThat(run("train", "--data", "" + data, "--out", "" + parts, "--epochs", "2").code())
        .isZero();
    Result resumed =
        run("train", "--data", "" + data, "--out", "" + parts, "--epochs", "4", "--resume");
    assertThat(resumed.code()).as(resumed.err()).isZero();
    assertThat(Files.readAllBytes(parts.resolve("model.safetensors")))
        .isEqualTo(Files.readAllBytes(whole.resolve("model.safetensors")));
  }

  @Test
  void afterEarlyStoppingTheSavedModelIsTheBestEpochs() throws IOException {
    Path data = flowers(folder);
    Path held = Files.copy(data, folder.resolve("held.csv"));
    Path model = folder.resolve("model");
    Result train =
        run(
            "train",
            "--data",
            "" + data,
            "--validation",
            "" + held,
            "--out",
            "" + model,
            "--epochs",
            "60",
            "--learning-rate",
            "0.2",
            "--patience",
            "2",
            "--json");
    assertThat(train.code()).as(train.err()).isZero();
    JsonNode history = train.json().get("history");
    double best = Double.POSITIVE_INFINITY;
    for (JsonNode epoch : history) {
      best = Math.min(best, epoch.get("val_loss").asDouble());
    }
    double last = history.get(history.size() - 1).get("val_loss").asDouble();
    assertThat(history.size()).as("it stopped early").isLessThan(60);
    assertThat(last).isGreaterThan(best);

    Result evaluate = run("evaluate", "--model", "" + model, "--data", "" + held, "--json");
    assertThat(evaluate.json().get("loss").asDouble()).isEqualTo(best);
    assertThat(run("inspect", "--model", "" + model, "--json").json().get("history"))
        .hasSameSizeAs(history);
  }

  @Test
  void aLogAndAPlotAreWrittenWhereTheyWereAskedFor() throws IOException {
    Path csv = folder.resolve("log.csv");
    Path png = folder.resolve("plots").resolve("curves.png"); // whose folder is made
    String data = "" + flowers(folder);
    String out = "" + folder.resolve("model");
    Result train =
        run(
            "train",
            "--data",
            data,
            "--out",
            out,
            "--epochs",
            "3",
            "--log",
            "" + csv,
            "--plot",
            "" + png);
    assertThat(train.code()).as(train.err()).isZero();
    assertThat(Files.readAllLines(csv)).hasSize(4).first().asString().startsWith("epoch,seconds,");
    assertThat(Files.readAllBytes(png)).startsWith(0x89, 'P', 'N', 'G');
    run("train", "--data", data, "--out", out, "--epochs", "5", "--log", "" + csv, "--resume");
    assertThat(Files.readAllLines(csv)).hasSize(6);

    Result wrong = run("train", "--data", data, "--out", out, "--plot", "curves.gif");
    assertThat(wrong.err()).contains("an .svg or a .png file, got curves.gif");
    assertThat(run("train", "--data", data, "--out", out, "--log", "log.txt").err())
        .contains(".jsonl");
  }
}
