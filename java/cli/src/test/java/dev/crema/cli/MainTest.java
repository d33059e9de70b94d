package dev.crema.cli;

import static dev.crema.cli.CommandRun.run;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.cli.CommandRun.Result;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  @TempDir private Path folder;

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
        new String[] {"demo", "train", "evaluate", "predict", "inspect", "devices", "optimize"}) {
      Result help = run(command, "--help");
      assertThat(help.code()).isZero();
      assertThat(help.out()).contains("--threads", "--seed", "--json", "--device");
    }
    assertThat(run("devices", "--json").json().get(0).get("name").asText()).isEqualTo("cpu");
  }
}
