package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line without the server's jars. */
class ServingJarsTest {
  /** What is left: jars by the beginnings of their names, and this module's own classes. */
  private static final Set<String> KEPT =
      Set.of("picocli", "jackson", "javacpp", "slf4j", "crema-engine", "crema-native");

  private record Said(int code, String text) {}

  @TempDir private Path folder;

  @Test
  void theServersCommandsSayWhatTheyLackAndTheOthersWork() throws Exception {
    Said devices = crema("devices", "--json");
    assertThat(devices.code()).as(devices.text()).isZero();
    assertThat(devices.text()).contains("\"cpu\"");
    for (List<String> command :
        List.of(
            List.of("serve", "--models", "here"),
            List.of("serve-key"),
            List.of("load-test", "http://127.0.0.1:1", "--lanes=2"))) {
      Said said = crema(command.toArray(new String[0]));
      assertThat(said.code()).isEqualTo(1);
      assertThat(said.text())
          .startsWith("crema: crema " + command.get(0) + " needs crema-serving and the libraries")
          .doesNotContain("NoClassDefFoundError", "picocli");
    }
    Said help = crema("--help");
    assertThat(help.code()).isZero();
    assertThat(help.text()).contains("train", "Not in this installation");
  }

  @Test
  void aTrainingWorksButIsNotShown() throws Exception {
    Path csv = CommandRun.flowers(folder);
    String[] train = {
      "train", "--data", "" + csv, "--epochs", "1", "--out", "" + folder.resolve("model")
    };
    Said watched = crema(CommandRun.with(train, "--watch", "0"));
    assertThat(watched.code()).isEqualTo(1);
    assertThat(watched.text()).startsWith("crema: --watch needs crema-serving");
    Said trained = crema(train);
    assertThat(trained.code()).as(trained.text()).isZero();
  }

  private Said crema(String... arguments) throws IOException, InterruptedException {
    Path output = folder.resolve("output.txt");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath(),
                "dev.crema.cli.Main"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int code = process.waitFor();
    return new Said(code, Files.readString(output, StandardCharsets.UTF_8));
  }

  private static String classPath() {
    String all =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return Stream.of(all.split(File.pathSeparator))
        .filter(ServingJarsTest::isKept)
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** A module of this build may be a folder of classes or a jar. */
  private static boolean isKept(String entry) {
    Path path = Path.of(entry).toAbsolutePath();
    String name = path.getFileName().toString();
    if (name.equals("classes")) {
      return !path.getParent().getParent().endsWith("serving");
    }
    return KEPT.stream().anyMatch(name::startsWith) || name.equals("resources");
  }
}
