package dev.crema.cli;

import static dev.crema.cli.CommandRun.flowers;
import static dev.crema.cli.CommandRun.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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

class ClassificationCommandTest {
  @TempDir private Path folder;

  @Test
  void trainsEvaluatesPredictsAndInspectsATable() throws IOException {
    Path data = flowers(folder);
    Path model = folder.resolve("model");
    Result train =
        run("train", "--data", "" + data, "--out", "" + model, "--epochs", "15", "--json");
    assertThat(train.err()).contains("Epoch 15/15");
    assertThat(train.code()).isZero();
    double accuracy = train.json().at("/evaluation/classification/accuracy").asDouble();
    assertThat(accuracy).isGreaterThan(0.9);
    assertThat(model.resolve("curves.svg")).exists();

    Result evaluate = run("evaluate", "--model", "" + model, "--data", "" + data, "--json");
    assertThat(evaluate.json().at("/examples").asInt()).isEqualTo(400);

    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(rows, "{\"width\": 3, \"colour\": \"red\", \"height\": -3}\n");
    Result predict = run("predict", "--model", "" + model, "--input", "" + rows);
    assertThat(predict.out()).startsWith("prediction,p_").contains("\nrose,");

    Result csv = run("predict", "--model", "" + model, "--input", "" + data, "--json");
    assertThat(csv.json()).hasSize(400);

    Result inspect = run("inspect", "--model", "" + model);
    assertThat(inspect.out()).contains("dense_1 (dense)");
  }

  @Test
  void aBinaryLossGivesOneSigmoidAndPredictsBothClasses() throws IOException {
    Path data = flowers(folder);
    Path model = folder.resolve("model");
    Result train =
        run(
            "train",
            "--data",
            "" + data,
            "--out",
            "" + model,
            "--loss",
            "bce",
            "--label-smoothing",
            "0.05",
            "--class-weights",
            "balanced",
            "--json");
    assertThat(train.code()).as(train.err()).isZero();
    JsonNode report = train.json().at("/evaluation/classification");
    assertThat(report.get("accuracy").asDouble()).isGreaterThan(0.9);
    assertThat(report.get("rocAuc").asDouble()).isGreaterThan(0.95);
    assertThat(report.at("/classes/1/name").asText()).isEqualTo("tulip");

    Result evaluate = run("evaluate", "--model", "" + model, "--data", "" + data);
    assertThat(evaluate.out()).contains("rose", "tulip", "F1", "ROC AUC");
    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(
        rows,
        "{\"width\": 3, \"colour\": \"red\", \"height\": -3}\n"
            + "{\"width\": -3, \"colour\": \"blue\", \"height\": 3}\n");
    Result predict = run("predict", "--model", "" + model, "--input", "" + rows, "--json");
    assertThat(predict.json().at("/0/prediction").asText()).isEqualTo("rose");
    assertThat(predict.json().at("/1/prediction").asText()).isEqualTo("tulip");
    assertThat(predict.json().at("/1/probabilities/tulip").asDouble()).isGreaterThan(0.8);
  }

  @Test
  void aTopologyWithOneOutputIsABinaryClassifierByItself() throws IOException {
    for (Activation last : new Activation[] {Activation.SIGMOID, Activation.LINEAR}) {
      Path topology = folder.resolve("topology.json");
      Json.write(
          topology,
          TopologyFormat.toJson(
              Model.sequential(4).dense(8, Activation.RELU).dense(1, last).topology()));
      Path model = folder.resolve("model");
      Result train =
          run(
              "train",
              "--data",
              "" + flowers(folder),
              "--model",
              "" + topology,
              "--out",
              "" + model);
      assertThat(train.code()).as(train.err()).isZero();
      assertThat(train.out()).contains("rose", "tulip", "ROC AUC");
      Path rows = folder.resolve("rows.jsonl");
      Files.writeString(rows, "{\"width\": 2, \"colour\": \"red\", \"height\": -2}\n");
      JsonNode answer =
          run("predict", "--model", "" + model, "--input", "" + rows, "--json").json().get(0);
      assertThat(answer.get("prediction").asText()).isEqualTo("rose");
      double sum = 0;
      for (JsonNode p : answer.get("probabilities")) {
        assertThat(p.asDouble()).isBetween(0.0, 1.0);
        sum += p.asDouble();
      }
      assertThat(sum).isCloseTo(1, within(1e-6)); // float32 rounds each
    }
  }

  @Test
  void lossesThatDoNotFitTheLabelSayWhatDoes() throws IOException {
    String data = "" + flowers(folder);
    String out = "" + folder.resolve("model");
    assertThat(run("train", "--data", data, "--out", out, "--loss", "huber").err())
        .contains("Use --task regression, or another loss.");
    assertThat(
            run("train", "--data", data, "--out", out, "--label", "width", "--loss", "bce").err())
        .contains("Use --task classification");
    assertThat(run("train", "--data", data, "--out", out, "--loss", "none").err())
        .contains("There is no loss 'none'", "cosine_similarity");
    assertThat(run("train", "--data", data, "--out", out, "--class-weights", "lily=2").err())
        .contains("the classes are [rose, tulip]");
    assertThat(run("train", "--help").out()).contains("binary_crossentropy", "huber[:DELTA]");
  }
}
