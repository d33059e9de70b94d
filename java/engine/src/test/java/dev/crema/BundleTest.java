package dev.crema;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The bundle for hosts with cards runs every test that runs on cards. */
class BundleTest {
  private static final Path SCRIPT = Path.of("../../bench/gpu/run.sh");
  private static final Path TESTS = Path.of("src/test/java");
  private static final Pattern ON_CARDS =
      Pattern.compile("EveryDevice\\.|OpCheck\\.|NearCards\\.|cudaCards\\(\\)\\.usable\\(\\)");

  @Test
  void itsScriptNamesThemAll() throws IOException {
    String script = Files.readString(SCRIPT);
    List<String> classes = onCards();
    assertThat(classes).contains("dev.crema.op.SoftmaxTest", "dev.crema.train.CudaTrainingTest");
    for (String name : classes) {
      String folder = name.substring(0, name.lastIndexOf('.'));
      boolean selected =
          script.contains("--select-package " + folder + "\n")
              || script.contains("--select-class " + name + "\n");
      assertThat(selected).as("%s in %s", name, SCRIPT).isTrue();
    }
  }

  private static List<String> onCards() throws IOException {
    try (Stream<Path> files = Files.walk(TESTS)) {
      return files
          .filter(file -> file.toString().endsWith("Test.java"))
          .filter(file -> !file.endsWith("BundleTest.java") && runsOnCards(file))
          .map(file -> TESTS.relativize(file).toString())
          .map(file -> file.substring(0, file.length() - ".java".length()).replace('/', '.'))
          .toList();
    }
  }

  private static boolean runsOnCards(Path file) {
    try {
      return ON_CARDS.matcher(Files.readString(file)).find();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
