package dev.crema.cli;

import static dev.crema.cli.CommandRun.run;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.compress.Comparison;
import dev.crema.compress.Figures;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.pass.QuantizationScheme;
import dev.crema.train.Evaluation;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class QuantizeCommandTest {
  private static final String LAYERS = "mlp:64,64";

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

  private Path trained(Path data) {
    Path model = folder.resolve("model");
    CommandRun.Result r =
        run("train", "--data", "" + data, "--out", "" + model, "--epochs", "20", "--model", LAYERS);
    assertThat(r.code()).as(r.err()).isZero();
    return model;
  }

  private CommandRun.Result quantize(Path model, Path data, String... more) {
    List<String> args = new ArrayList<>(List.of("quantize", "--model", "" + model));
    args.addAll(List.of("--data", "" + data, "--out", "" + folder.resolve("small.zip")));
    args.addAll(List.of(more));
    return run(args.toArray(new String[0]));
  }

  @Test
  void quantizesToFp8() throws IOException {
    Path data = points();
    Path model = trained(data);
    CommandRun.Result r = quantize(model, data, "--method", "fp8", "--keep-slower");
    assertThat(r.code()).as(r.err()).isZero();
    assertThat(r.out()).contains("fp8: dense_1, dense_2, output").contains("Calibrating on");
    try (Model small = Model.load(folder.resolve("small.zip"))) {
      assertThat(small.quantization().layers().get("dense_1").scheme())
          .isEqualTo(QuantizationScheme.FP8);
    }
    CommandRun.Result bits = quantize(model, data, "--method", "fp8", "--bits", "4");
    assertThat(bits.err()).contains("--bits", "weight-only");
  }

  @Test
  void smoothsOnRequest() throws IOException {
    Path data = points();
    Path model = trained(data);
    CommandRun.Result r = quantize(model, data, "--smoothing", "0.5", "--keep-slower", "--json");
    assertThat(r.code()).as(r.err()).isZero();
    assertThat(r.json().at("/smoothing").asDouble()).isEqualTo(0.5);
    CommandRun.Result bad = quantize(model, data, "--smoothing", "1.5", "--keep-slower");
    assertThat(bad.code()).isEqualTo(1);
    assertThat(bad.err()).contains("alpha of smoothing must lie in [0, 1], got 1.5");
  }

  @Test
  void quantizesMeasuresAndSavesAModelThatPredictsAndEvaluates() throws IOException {
    Path data = points();
    Path model = trained(data);
    String small = "" + folder.resolve("small.zip");
    for (String calibration : new String[] {"min-max", "entropy"}) {
      CommandRun.Result r =
          quantize(
              model,
              data,
              "--method",
              "static",
              "--calibration",
              calibration,
              "--keep-slower",
              "--json");
      assertThat(r.code()).as(r.err()).isZero();
      assertThat(r.err()).contains("latency, batch 32", "int8: ", "output");
      JsonNode json = r.json();
      assertThat(json.at("/calibration").asText()).isEqualTo(calibration);
      assertThat(json.at("/method").asText()).isEqualTo("static");
      assertThat(json.at("/kept").asBoolean()).isTrue();
      assertThat(json.at("/layers")).hasSize(3);
      double before = json.at("/before/accuracy").asDouble();
      assertThat(before).isGreaterThan(0.9);
      assertThat(json.at("/after/accuracy").asDouble()).isGreaterThan(before - 0.04);
      assertThat(json.at("/after/file_bytes").asLong())
          .isLessThan(json.at("/before/file_bytes").asLong());
    }
    CommandRun.Result evaluate = run("evaluate", "--model", small, "--data", "" + data, "--json");
    assertThat(evaluate.code()).isZero();
    CommandRun.Result again = quantize(folder.resolve("small.zip"), data);
    assertThat(again.err()).contains("quantized already");
    assertThat(again.code()).isEqualTo(1);
  }

  @Test
  void calibratesOnOtherExamplesThanItMeasuresOn() throws IOException {
    Path data = points();
    Path model = trained(data);
    CommandRun.Result r =
        quantize(model, data, "--calibration-examples", "100", "--keep-slower", "--json");
    assertThat(r.err())
        .contains("Calibrating on 100 of 240 examples; measuring on 60 examples set apart");
    JsonNode json = r.json();
    assertThat(json.at("/data/train_examples").asInt()).isEqualTo(240);
    assertThat(json.at("/data/calibration_examples").asInt()).isEqualTo(100);
    assertThat(json.at("/data/measured_examples").asInt()).isEqualTo(60);
    assertThat(json.at("/data/measured_on").asText()).isEqualTo("set_apart");
    // Those sixty are others: where all are calibrated on and measured, the command says so.
    CommandRun.Result same =
        quantize(model, data, "--validation-split", "0", "--keep-slower", "--json");
    assertThat(same.err()).contains("of 300 examples; measuring on 300 examples that are the same");
    CommandRun.Result other =
        quantize(model, data, "--validation", "" + data, "--keep-slower", "--json");
    assertThat(other.json().at("/data/measured_on").asText()).isEqualTo("other_file");
    assertThat(other.json().at("/data/measured_examples").asInt()).isEqualTo(300);
  }

  @Test
  void trainsOnWithRoundedWeights() throws IOException {
    Path data = points();
    Path model = trained(data);
    CommandRun.Result r =
        quantize(model, data, "--method", "qat", "--epochs", "3", "--keep-slower", "--json");
    assertThat(r.code()).as(r.err()).isZero();
    assertThat(r.err()).contains("Epoch 3/3");
    JsonNode json = r.json();
    assertThat(json.at("/method").asText()).isEqualTo("qat");
    assertThat(json.get("history")).hasSize(3);
    assertThat(json.at("/layers")).hasSize(3);
    try (Model int8 = Model.load(folder.resolve("small.zip"));
        Model dense = Model.load(model)) {
      assertThat(int8.quantization().layers()).hasSize(3);
      assertThat(int8.get("dense_1/bias")).isNotEqualTo(dense.get("dense_1/bias"));
      assertThat(int8.metadata().get("loss")).isEqualTo(dense.metadata().get("loss"));
    }
  }

  @Test
  void inputsStayFloatOrHaveTheRangesOfTheirRows() throws IOException {
    Path data = points();
    Path model = trained(data);
    for (String[] method :
        new String[][] {
          {"dynamic", "8", "0"},
          {"weight-only", "8", "0", "--bits", "8"},
          {"weight-only", "4", "64", "--bits", "4"},
          {"weight-only", "4", "32", "--bits", "4", "--group-size", "32"}
        }) {
      List<String> args = new ArrayList<>(List.of("--method", method[0], "--keep-slower"));
      args.addAll(List.of(method).subList(3, method.length));
      args.add("--json");
      CommandRun.Result r = quantize(model, data, args.toArray(new String[0]));
      assertThat(r.code()).as(r.err()).isZero();
      assertThat(r.err()).contains("int" + method[1] + ": dense_1, ", "measuring on 60 examples");
      JsonNode json = r.json();
      assertThat(json.at("/method").asText()).isEqualTo(method[0]);
      assertThat(json.at("/bits").asText()).isEqualTo(method[1]);
      assertThat(json.at("/group_size").asText()).isEqualTo(method[2]);
      assertThat(json.has("calibration")).isFalse();
      assertThat(json.at("/layers")).hasSize(3);
      double before = json.at("/before/accuracy").asDouble();
      assertThat(json.at("/after/accuracy").asDouble()).isGreaterThan(before - 0.06);
      try (Model loaded = Model.load(folder.resolve("small.zip"))) {
        assertThat(loaded.quantization().layers()).hasSize(3);
      }
    }
  }

  /** What was measured is made up, so that it is the same on every machine. */
  @Test
  void whatIsSlowerIsNotKeptUnlessThatIsAskedFor() throws IOException {
    Path data = points();
    Path model = trained(data);
    Path out = folder.resolve("small.zip");
    CommandRun.Result measured = quantize(model, data, "--keep-slower", "--json");
    assertThat(measured.code()).as(measured.err()).isZero();
    Evaluation any;
    try (Model int8 = Model.load(out)) {
      Dataset two = Datasets.of(new float[][] {{0, 1}, {1, 0}}, new int[] {0, 1});
      any = Comparison.of(int8, int8, two, 1, Device.cpu()).models().get(0).evaluation();
      Files.delete(out);
      Figures before = new Figures("before", any, 9, 9, 9, 1000, 9000);
      Figures asFast = new Figures("after", any, 4, 9, 9, 1090, 9800);
      Figures slower1 = new Figures("after", any, 4, 9, 9, 2500, 3000);
      Figures slower = new Figures("after", any, 4, 9, 9, 1200, 10800);
      assertThat(Results.slower(before, asFast)).isNull();
      assertThat(Results.slower(before, slower1))
          .contains("2.50 times as long for one example")
          .doesNotContain("32");
      assertThat(Results.slower(before, slower))
          .contains("1.20 times as long for one example and 1.20 times as long for a batch of 32");
      String[] args = {"--model", "" + model, "--data", "" + data, "--out", "" + out, "--json"};
      for (boolean keep : new boolean[] {false, true}) {
        QuantizeCommand command = new QuantizeCommand();
        CommandLine line = new CommandLine(command);
        Choice.addTo(line);
        StringWriter said = new StringWriter();
        line.setErr(new PrintWriter(said));
        line.parseArgs(
            Stream.concat(Stream.of(args), keep ? Stream.of("--keep-slower") : Stream.empty())
                .toArray(String[]::new));
        ObjectNode document = Json.mapper().createObjectNode();
        int code = command.finish(int8, new Comparison(List.of(before, slower1)), document);
        assertThat(code).isEqualTo(keep ? 0 : 1);
        assertThat(Files.exists(out)).isEqualTo(keep);
        assertThat(document.get("kept").asBoolean()).isEqualTo(keep);
        assertThat(document.has("model")).isEqualTo(keep);
        assertThat(document.get("warnings")).hasSize(1);
        if (!keep) {
          assertThat("" + said).startsWith("crema: on this machine").contains("--keep-slower");
        }
      }
    }
  }

  @Test
  void wrongUseIsExplained() throws IOException {
    Path data = points();
    Path none = folder.resolve("none");
    CommandRun.Result r = quantize(none, data, "--calibration", "x");
    assertThat(r.err()).contains("one of [min-max, moving-average, percentile, entropy, mse] but");
    assertThat(r.code()).isEqualTo(2);
    r = quantize(none, data, "--method", "x");
    assertThat(r.err()).contains("one of [static, qat, dynamic, weight-only, fp8] but was 'x'");
    assertThat(r.code()).isEqualTo(2);
    r = quantize(none, data, "--bits", "4");
    assertThat(r.err()).contains("--bits is of --method [weight-only], not of static");
    assertThat(r.code()).isEqualTo(2);
    r = quantize(none, data, "--method", "dynamic", "--calibration", "mse");
    assertThat(r.err()).contains("--calibration is of --method [static, qat, fp8], not of dynamic");
    assertThat(r.code()).isEqualTo(2);
    r = quantize(none, data, "--method", "weight-only", "--bits", "5");
    assertThat(r.err()).contains("8 bits, or 4");
    assertThat(r.code()).isEqualTo(1);
    r = quantize(none, data, "--epochs", "3");
    assertThat(r.err()).contains("--epochs is of --method [qat], not of static");
    assertThat(r.code()).isEqualTo(2);
    r = quantize(none, data, "--method", "qat", "--epochs", "0");
    assertThat(r.err()).contains("--epochs 1 or more");
    assertThat(r.code()).isEqualTo(1);
    r = quantize(none, data, "--calibration-examples", "0");
    assertThat(r.err()).contains("at least 1, got 0");
    assertThat(r.code()).isEqualTo(1);
  }
}
