package dev.crema.eval.plot;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Draws in another JVM, one without fonts as on a bare server. */
class PlotWithoutFontsTest {
  /** What the other JVM runs. */
  static final class Draw {
    private Draw() {}

    public static void main(String[] arguments) {
      try {
        Plot.of("p", Axes.of("", "x", "y", Series.line("s", new double[] {1, 2})))
            .write(Path.of(arguments[0]));
        System.out.println("written");
      } catch (dev.crema.CremaException e) {
        System.out.println("refused: " + e.getMessage());
      }
    }
  }

  private static String draw(Path file, String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xshare:auto", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Draw.class.getName(), file.toString()));
    Path output = file.resolveSibling("output.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return Files.readString(output, StandardCharsets.UTF_8);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void pngIsRefusedWithAdviceToWriteSvg(@TempDir Path folder) throws Exception {
    Path png = folder.resolve("p.png");
    // This is how OpenJDK behaves when fontconfig finds nothing.
    String said = draw(png, "-Djava.awt.headless=true", "-Dsun.awt.fontconfig=/nonexistent");
    assertThat(said).contains("refused: Plot: this machine can't draw PNG", "Write SVG instead");
    assertThat(png).doesNotExist();
  }

  @Test
  void svgNeedsNoDesktopModule(@TempDir Path folder) throws Exception {
    Path svg = folder.resolve("p.svg");
    assertThat(draw(svg, "--limit-modules=java.base")).contains("written");
    assertThat(svg).isNotEmptyFile();
    String said = draw(folder.resolve("p.png"), "--limit-modules=java.base");
    assertThat(said).contains("refused").contains("Write SVG instead");
  }
}
