package dev.crema.cli;

import static dev.crema.cli.CommandRun.flowers;
import static dev.crema.cli.CommandRun.run;
import static dev.crema.cli.Tables.houses;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.cli.CommandRun.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SeveralLabelsCommandTest {
  @TempDir private Path folder;

  @Test
  void severalLabelsAreLearntMeasuredAndPredicted() throws IOException {
    Random random = new Random(6);
    StringBuilder csv = new StringBuilder("a,urgent,b,spam\n");
    for (int i = 0; i < 500; i++) {
      double a = random.nextGaussian();
      double b = random.nextGaussian();
      csv.append(
          String.format(
              Locale.ROOT, "%.4f,%s,%.4f,%d%n", a, a > 1 ? "yes" : "no", b, a + b > 0 ? 1 : 0));
    }
    Path data = Files.writeString(folder.resolve("mails.csv"), csv);
    Path model = folder.resolve("model");
    Result train =
        run(
            "train",
            "--data",
            "" + data,
            "--label",
            "spam,urgent",
            "--class-weights",
            "balanced",
            "--out",
            "" + model,
            "--json");
    assertThat(train.code()).as(train.err()).isZero();
    assertThat(train.err()).contains("Labels: columns spam, urgent, two values each (multi-label)");
    JsonNode report = train.json().at("/evaluation/multi_label");
    assertThat(report.get("labelAccuracy").asDouble()).isGreaterThan(0.93);
    assertThat(report.at("/labels/0/name").asText()).isEqualTo("spam");
    assertThat(report.at("/labels/1/name").asText()).isEqualTo("urgent");
    assertThat(run("evaluate", "--model", "" + model, "--data", "" + data).out())
        .contains("exact match", "urgent", "micro average");

    Path rows = Files.writeString(folder.resolve("rows.csv"), "a,b\n2,-2.5\n-2,2.5\n");
    Result predict = run("predict", "--model", "" + model, "--input", "" + rows);
    assertThat(predict.out().lines().toList())
        .satisfies(
            lines -> {
              assertThat(lines.get(0)).isEqualTo("spam,p_spam,urgent,p_urgent");
              assertThat(lines.get(1)).matches("0,[\\d.E-]+,yes,[\\d.E-]+");
              assertThat(lines.get(2)).matches("1,[\\d.E-]+,no,[\\d.E-]+");
            });
    Result json = run("predict", "--model", "" + model, "--input", "" + rows, "--json");
    assertThat(json.json().at("/0/predictions/urgent").asText()).isEqualTo("yes");
    assertThat(json.json().at("/1/probabilities/spam").asDouble()).isGreaterThan(0.9);
  }

  @Test
  void severalNumbersAreARegressionOfSeveralOutputs() throws IOException {
    Path data = houses(folder);
    Path model = folder.resolve("model");
    Result train =
        run("train", "--data", "" + data, "--label", "price,area", "--out", "" + model, "--json");
    assertThat(train.code()).as(train.err()).isZero();
    JsonNode outputs = train.json().at("/evaluation/regression/outputs");
    assertThat(outputs).hasSize(2);
    assertThat(outputs.get(0).get("name").asText()).isEqualTo("price");
    assertThat(outputs.get(1).get("mae").asDouble()).as("in its own unit").isBetween(5.0, 80.0);
    Result predict =
        run(
            "predict",
            "--model",
            "" + model,
            "--input",
            "" + data,
            "--output",
            "" + folder.resolve("predicted.csv"));
    assertThat(predict.code()).as(predict.err()).isZero();
    assertThat(Files.readAllLines(folder.resolve("predicted.csv")))
        .hasSize(801)
        .first()
        .isEqualTo("prediction_price,prediction_area");

    Result mixed =
        run("train", "--data", "" + flowers(folder), "--label", "class,width", "--out", "" + model);
    assertThat(mixed.err())
        .contains("two different values each, or all be numbers")
        .contains("class has 2 different values such as");
  }
}
