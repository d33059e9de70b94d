package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.cli.CommandRun.Result;
import dev.crema.io.Json;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.nn.TopologyFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DistillCommandTest {
  @TempDir private Path folder;

  private static Result run(String... args) {
    return CommandRun.run(args);
  }

  private Path train(Path data, String name, String model) {
    Path out = folder.resolve(name);
    Result result =
        run("train", "--data", "" + data, "--model", model, "--out", "" + out, "--epochs", "20");
    assertThat(result.code()).as(result.err()).isZero();
    return out;
  }

  @Test
  void aStudentLearnsFromTwoTeachersAndPredictsByItself() throws IOException {
    Path data = CommandRun.flowers(folder);
    Path a = train(data, "a", "mlp:32,16");
    Path b = train(data, "b", "mlp:24,16");
    byte[] before = Files.readAllBytes(a.resolve("model.safetensors"));
    Path student = folder.resolve("student");
    Result result =
        run(
            "distill",
            "--teacher",
            a + "," + b,
            "--student",
            "mlp:8,16",
            "--data",
            "" + data,
            "--temperature",
            "3",
            "--learning-rate",
            "0.01",
            "--alpha",
            "0.2",
            "--hint",
            "dense_2=dense_2",
            "--epochs",
            "20",
            "--out",
            "" + student,
            "--json");
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode json = result.json();
    assertThat(json.at("/student/accuracy").asDouble()).isGreaterThan(0.9);
    assertThat(json.at("/student/parameters").asLong()).isEqualTo(4 * 8 + 8 + 8 * 16 + 16 + 34);
    assertThat(json.at("/teacher 1/parameters").asLong()).isGreaterThan(600);
    assertThat(json.has("teacher 2")).isTrue();
    assertThat(json.get("history")).hasSize(20);
    assertThat(result.err()).contains("accuracy", "teacher 2", "latency, batch 32");
    assertThat(Files.readAllBytes(a.resolve("model.safetensors"))).isEqualTo(before);
    Result evaluate = run("evaluate", "--model", "" + student, "--data", "" + data, "--json");
    assertThat(evaluate.json().at("/classification/accuracy").asDouble()).isGreaterThan(0.9);
    try (Model teacher = Model.load(a);
        Model taught = Model.load(student)) {
      assertThat(taught.metadata().at("/reference/inputs"))
          .as("what drift is measured by is of the same examples")
          .isEqualTo(teacher.metadata().at("/reference/inputs"))
          .isNotEmpty();
    }
    prunedAndThenQuantized(student, data);
  }

  /** Means, deviations and classes are of a model's own training data. */
  @Test
  void teachersThatReadOtherNumbersAreRefusedBeforeTheTraining() throws IOException {
    Path data = CommandRun.flowers(folder);
    Path a = train(data, "a", "mlp:8");
    Path other = folder.resolve("other.csv");
    Files.writeString(other, Files.readString(data).replace("rose", "zinnia"));
    Path b = train(other, "b", "mlp:8");
    Path student = folder.resolve("student");
    String[] args = {"distill", "--student", "mlp:4", "--data", "" + data, "--out", "" + student};
    Result result = run(CommandRun.with(args, "--teacher", a + "," + b));
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).contains("" + a, "" + b, "prepared in different ways", "--seed");
    assertThat(student).doesNotExist();
  }

  private void prunedAndThenQuantized(Path student, Path data) {
    String pruned = "" + folder.resolve("pruned");
    String[] prune = {"prune", "--model", "" + student, "--data", "" + data, "--out", pruned};
    Result sparse = run(CommandRun.with(prune, "--sparsity", "0.5", "--epochs", "5", "--json"));
    assertThat(sparse.code()).as(sparse.err()).isZero();
    long left = sparse.json().at("/after/non_zeros").asLong();
    assertThat(left).isLessThan(sparse.json().at("/before/non_zeros").asLong());
    String int8 = "" + folder.resolve("int8");
    String[] quantize = {"quantize", "--model", pruned, "--data", "" + data, "--out", int8};
    for (String method : new String[] {"static", "qat"}) {
      Result small = run(CommandRun.with(quantize, "--method", method, "--keep-slower", "--json"));
      assertThat(small.code()).as(small.err()).isZero();
      assertThat(small.json().at("/after/non_zeros").asLong()).isLessThanOrEqualTo(left);
      assertThat(small.json().at("/after/accuracy").asDouble()).isGreaterThan(0.85);
    }
  }

  @Test
  void aTopologyFileAndOneSigmoidDoToo() throws IOException {
    Path data = CommandRun.flowers(folder);
    Path teacher = folder.resolve("teacher");
    Result trained = run("train", "--data", "" + data, "--loss", "bce", "--out", "" + teacher);
    assertThat(trained.code()).as(trained.err()).isZero();
    Path topology = folder.resolve("student.json");
    Json.write(
        topology,
        TopologyFormat.toJson(
            Model.sequential(4).dense(6, Activation.RELU).dense(1, Activation.SIGMOID).topology()));
    Result result =
        run(
            "distill",
            "--teacher",
            "" + teacher,
            "--student",
            "" + topology,
            "--data",
            "" + data,
            "--learning-rate",
            "0.02",
            "--epochs",
            "30",
            "--out",
            "" + folder.resolve("student"),
            "--json");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.json().at("/student/accuracy").asDouble()).isGreaterThan(0.85);
    assertThat(result.err()).contains("change");
  }

  @Test
  void wrongUseSaysWhatIsRight() throws IOException {
    Path data = CommandRun.flowers(folder);
    Path teacher = train(data, "teacher", "mlp:8");
    String[] good = {
      "distill",
      "--teacher",
      "" + teacher,
      "--student",
      "mlp:4",
      "--data",
      "" + data,
      "--out",
      "" + folder.resolve("student")
    };
    assertThat(run(CommandRun.with(good, "--temperature", "0")).err())
        .contains("temperature must be above 0");
    assertThat(run(CommandRun.with(good, "--alpha", "2")).err())
        .contains("Alpha lies in [0, 1], got 2.0");
    assertThat(run(CommandRun.with(good, "--epochs", "0")).err()).contains("--epochs 1 or more");
    assertThat(run(CommandRun.with(good, "--hint", "dense_1")).err())
        .contains("STUDENT_LAYER=TEACHER_LAYER");
    Result shapes = run(CommandRun.with(good, "--hint", "dense_1=dense_1"));
    assertThat(shapes.code()).isEqualTo(1);
    assertThat(shapes.err()).contains("student's 'dense_1' [n, 4]", "'dense_1' [n, 8]");
    assertThat(run("distill", "--data", "x").code()).isEqualTo(2);
    assertThat(folder.resolve("student")).doesNotExist();
  }
}
