package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.io.Json;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.nn.TopologyFormat;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  @TempDir private Path folder;

  private record Result(int code, String out, String err) {
    JsonNode json() {
      return Json.parse(out, "standard output");
    }
  }

  private static Result run(String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
      int code = Main.execute(args);
      return new Result(
          code,
          outBytes.toString(StandardCharsets.UTF_8),
          errBytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /** Two classes that a line parts, one of the columns a category. */
  private Path flowers() throws IOException {
    Random random = new Random(1);
    StringBuilder csv = new StringBuilder("width,colour,height,class\n");
    for (int i = 0; i < 400; i++) {
      double width = random.nextGaussian();
      double height = random.nextGaussian();
      boolean red = random.nextBoolean();
      String label = width + (red ? 1 : -1) > height ? "rose" : "tulip";
      csv.append(
          String.format(
              Locale.ROOT, "%.4f,%s,%.4f,%s%n", width, red ? "red" : "blue", height, label));
    }
    return Files.writeString(folder.resolve("flowers.csv"), csv);
  }

  @Test
  void trainsEvaluatesPredictsAndInspectsATable() throws IOException {
    Path data = flowers();
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
  void saysWhatBecameOfEachColumn() throws IOException {
    StringBuilder csv = new StringBuilder("id,when,price,country,class\n");
    for (int i = 0; i < 60; i++) {
      csv.append(i).append(i % 2 == 0 ? ",2024-01-0" : ",2024-03-1").append(i % 9 + 1);
      csv.append(",\"$1,").append(100 + i).append("\",US,").append(i < 30 ? "low\n" : "high\n");
    }
    Path data = Files.writeString(folder.resolve("prices.csv"), csv);
    Path model = folder.resolve("model");
    Result train = run("train", "--data", "" + data, "--out", "" + model, "--json");
    assertThat(train.code()).as(train.err()).isZero();
    assertThat(train.err())
        .containsPattern("id +not used: numbers the rows +0")
        .containsPattern("when +date, year-month-day, and place in week +3")
        .containsPattern("price +number such as \\$1,234.5 +1")
        .containsPattern("country +not used: holds the same value in every row +0");
    JsonNode columns = train.json().get("columns");
    assertThat(columns.findValuesAsText("column"))
        .containsExactly("id", "when", "price", "country", "class");
    assertThat(columns.at("/1/inputs").asInt()).isEqualTo(3);
    assertThat(columns.at("/4/use").asText()).isEqualTo("label, 2 classes");
    Path rows = folder.resolve("rows.csv");
    Files.writeString(rows, "when,price\n2024-01-05,\"$1,101\"\n2024-01-05,1101\n");
    JsonNode answers = run("predict", "--model", "" + model, "--input", "" + rows, "--json").json();
    assertThat(answers.get(0)).isEqualTo(answers.get(1));
  }

  @Test
  void aBinaryLossGivesOneSigmoidAndPredictsBothClasses() throws IOException {
    Path data = flowers();
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
          run("train", "--data", "" + flowers(), "--model", "" + topology, "--out", "" + model);
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
    String data = "" + flowers();
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

  @Test
  void aResumedTrainingGivesTheSameBitsAsOneThatNeverStopped() throws IOException {
    Path data = flowers();
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
    Path data = flowers();
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

  /** Prices as a file has them, beside dates, identifiers and texts that say nothing. */
  private Path houses() throws IOException {
    Random random = new Random(4);
    StringBuilder csv = new StringBuilder("id;date;area;rooms;agent;price\n");
    for (int i = 0; i < 800; i++) {
      double area = 60 + 140 * random.nextDouble();
      int rooms = 1 + random.nextInt(6);
      double price = 50_000 + 2_000 * area + 10_000 * rooms + 5_000 * random.nextGaussian();
      csv.append(
          String.format(
              Locale.ROOT,
              "%d;2024-%02d-%02d;%.1f;%d;\"Agent %d; Sons\";%.0f%n",
              7_000_000_000L + 17 * i,
              1 + i % 12,
              1 + i % 28,
              area,
              rooms,
              i,
              price));
    }
    return Files.writeString(folder.resolve("houses.csv"), csv);
  }

  @Test
  void aRegressionIsMeasuredAndPredictedInTheUnitOfTheFile() throws IOException {
    Path data = houses();
    Path model = folder.resolve("model");
    Result train = run("train", "--data", "" + data, "--out", "" + model, "--json");
    assertThat(train.code()).as(train.err()).isZero();
    assertThat(train.err())
        .contains("Column id identifies rows", "Column agent holds more than 100 different texts");
    JsonNode output = train.json().at("/evaluation/regression/outputs/0");
    assertThat(output.get("name").asText()).isEqualTo("price");
    assertThat(output.get("r2").asDouble()).isGreaterThan(0.97);
    double mae = output.get("mae").asDouble();
    assertThat(mae).as("in the unit of the file").isBetween(2_000.0, 15_000.0);
    JsonNode history = train.json().get("history");
    assertThat(history.get(history.size() - 1).get("val_mae").asDouble()).isEqualTo(mae);

    Path row = folder.resolve("row.jsonl");
    Files.writeString(row, "{\"date\": \"2024-01-01\", \"area\": 100, \"rooms\": 3}\n");
    Result predict = run("predict", "--model", "" + model, "--input", "" + row, "--json");
    assertThat(predict.json().at("/0/predictions/0").asDouble()).isBetween(260_000.0, 300_000.0);
  }

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
    Path data = houses();
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
        run("train", "--data", "" + flowers(), "--label", "class,width", "--out", "" + model);
    assertThat(mixed.err())
        .contains("two different values each, or all be numbers")
        .contains("class has 2 different values such as");
  }

  @Test
  void aLogAndAPlotAreWrittenWhereTheyWereAskedFor() throws IOException {
    Path csv = folder.resolve("log.csv");
    Path png = folder.resolve("curves.png");
    String data = "" + flowers();
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

  @Test
  void wrongUseIsCodeTwoAndFailureCodeOneWithOneClearLine() {
    assertThat(run("train").code()).isEqualTo(2);
    assertThat(run("nonsense").code()).isEqualTo(2);
    Result missing = run("evaluate", "--model", "" + folder.resolve("none"), "--data", "x.csv");
    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.err()).startsWith("crema: ").contains("none");
  }

  @Test
  void theDemoDrawsPngFilesAndRefusesOtherFormatsFirst() throws IOException {
    Path demo = folder.resolve("demo");
    Result png = run("demo", "--epochs", "1", "--plot", "png", "--out", "" + demo, "--json");
    if (png.code() != 0) { // a Java without fonts says so before it trains
      assertThat(png.err()).contains("font").doesNotContain("Epoch");
      return;
    }
    for (String network : new String[] {"seed-mlp", "lenet"}) {
      for (String name : new String[] {"curves.png", "confusion.png"}) {
        BufferedImage picture = ImageIO.read(demo.resolve(network).resolve(name).toFile());
        assertThat(picture.getWidth()).isGreaterThan(300);
      }
      assertThat(demo.resolve(network).resolve("curves.svg")).doesNotExist();
    }
    assertThat(png.json().at("/lenet/test/classification/accuracy").asDouble()).isGreaterThan(0.8);

    Result gif = run("demo", "--plot", "gif", "--out", "" + folder.resolve("other"));
    assertThat(gif.code()).isEqualTo(1);
    assertThat(gif.err()).contains("A plot is an .svg or a .png file").doesNotContain("Epoch");
    assertThat(folder.resolve("other")).doesNotExist();
  }

  @Test
  void everyCommandHasHelpAndDevicesNamesTheProcessor() {
    for (String command :
        new String[] {"demo", "train", "evaluate", "predict", "inspect", "devices"}) {
      Result help = run(command, "--help");
      assertThat(help.code()).isZero();
      assertThat(help.out()).contains("--threads", "--seed", "--json", "--device");
    }
    assertThat(run("devices", "--json").json().get(0).get("name").asText()).isEqualTo("cpu");
  }
}
