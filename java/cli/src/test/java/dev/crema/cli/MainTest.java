package dev.crema.cli;

import static dev.crema.cli.CommandRun.run;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.cli.CommandRun.Result;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  @TempDir private Path folder;

  @Test
  void wrongUseIsCodeTwoAndFailureCodeOneWithOneClearLine() {
    assertThat(run("train").code()).isEqualTo(2);
    Result nonsense = run("qantize");
    assertThat(nonsense.code()).isEqualTo(2);
    assertThat(nonsense.err()).startsWith("crema: ").contains("Did you mean", "crema quantize");
    assertThat(nonsense.err()).contains("Usage: crema");
    Result option = run("quantize", "--calibration", "foo");
    assertThat(option.code()).isEqualTo(2);
    assertThat(option.err()).startsWith("crema: ").contains("'--calibration'", "'foo'");
    assertThat(option.err()).endsWith("`crema quantize --help` shows what there is.\n");
    Result missing = run("evaluate", "--model", "" + folder.resolve("none"), "--data", "x.csv");
    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.err()).startsWith("crema: ").contains("none");
  }

  @Test
  void settingsThatMakeNoSenseAreNotIgnored() throws IOException {
    String data = "" + CommandRun.flowers(folder);
    String[] train = {"train", "--data", data, "--model", "mlp:4", "--out", folder + "/m"};
    Result patience = run(CommandRun.with(train, "--patience", "-1"));
    assertThat(patience.code()).isEqualTo(1);
    assertThat(patience.err()).contains("Patience must be at least one epoch, got -1");
    Result clip = run(CommandRun.with(train, "--clip-norm", "-1"));
    assertThat(clip.code()).isEqualTo(1);
    assertThat(clip.err()).contains("clipNorm must be at least 0, got -1.0");
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
    JsonNode json = png.json();
    double accuracy = json.at("/lenet/test/classification/accuracy").asDouble();
    assertThat(accuracy).isGreaterThan(0.8);
    compressedToo(json.get("compression"), accuracy);
    String[] evaluate = {"evaluate", "--data", "crema:mnist", "--json", "--model"};
    Result again = run(CommandRun.with(evaluate, "" + demo.resolve("lenet")));
    assertThat(again.json().at("/classification/accuracy").asDouble()).isEqualTo(accuracy);
    String model = json.at("/compression/student/model").asText();
    if (!model.isEmpty()) { // it was not slower here
      Result student = run(CommandRun.with(evaluate, model));
      assertThat(student.json().at("/classification/accuracy"))
          .isEqualTo(json.at("/compression/student/accuracy"));
    }
    Result small = run(CommandRun.with(evaluate, "" + demo.resolve("seed-mlp")));
    assertThat(small.err()).contains("[28, 28, 1] pixels of ten digits");
    small =
        run("evaluate", "--data", "crema:mnist-10x10", "--model", "" + demo.resolve("seed-mlp"));
    assertThat(small.code()).as(small.err()).isZero();
    assertThat(run(CommandRun.with(evaluate, "" + demo, "--data", "crema:x")).code()).isNotZero();

    Result gif = run("demo", "--plot", "gif", "--out", "" + folder.resolve("other"));
    assertThat(gif.code()).isEqualTo(1);
    assertThat(gif.err()).contains("A plot is an .svg or a .png file").doesNotContain("Epoch");
    assertThat(folder.resolve("other")).doesNotExist();
  }

  private static void compressedToo(JsonNode figures, double accuracy) {
    assertThat(figures.at("/lenet/accuracy").asDouble()).isEqualTo(accuracy);
    long all = figures.at("/lenet/parameters").asLong();
    long left = figures.at("/lenet-pruned/non_zeros").asLong();
    assertThat(left).isBetween(all / 10, all / 10 + 300); // biases are not pruned
    assertThat(figures.at("/lenet-pruned-int8/non_zeros").asLong()).isLessThanOrEqualTo(left);
    assertThat(figures.at("/lenet-int8/accuracy").asDouble()).isGreaterThan(accuracy - 0.01);
    assertThat(figures.at("/student/parameters").asLong() * 4).isLessThan(all);
    long bytes = figures.at("/lenet/file_bytes").asLong();
    assertThat(figures.at("/lenet-pruned-int8/file_bytes").asLong() * 6).isLessThan(bytes);
  }

  @Test
  void everyCommandHasHelpAndDevicesNamesTheProcessor() {
    for (String command :
        List.of(
            "demo",
            "train",
            "evaluate",
            "predict",
            "inspect",
            "devices",
            "prune",
            "distill",
            "quantize",
            "optimize")) {
      Result help = run(command, "--help");
      assertThat(help.code()).isZero();
      assertThat(help.out()).contains("--threads", "--seed", "--json", "--device");
    }
    assertThat(run("devices", "--json").json().get(0).get("name").asText()).isEqualTo("cpu");
  }
}
