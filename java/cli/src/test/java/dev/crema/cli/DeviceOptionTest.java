package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands compute where CREMA_DEVICE says unless --device says otherwise. */
class DeviceOptionTest {
  private static final String NO_SUCH = "cuda:77";

  @TempDir private Path folder;

  @Test
  void theEnvironmentNamesTheDevice() throws Exception {
    Path csv = CommandRun.flowers(folder);
    List<String> train =
        List.of("train", "--data", "" + csv, "--epochs", "1", "--out", "" + folder.resolve("m"));
    assertRefused(train);
    assertRefused(
        List.of("demo", "--epochs", "1", "--no-compress", "--out", "" + folder.resolve("d")));
    List<String> onCpu = new ArrayList<>(train);
    onCpu.addAll(List.of("--device", "cpu"));
    assertThat(crema(onCpu)).doesNotContain(NO_SUCH).contains("Epoch 1/1");
  }

  private void assertRefused(List<String> command) throws IOException, InterruptedException {
    assertThat(crema(command)).contains(NO_SUCH).doesNotContain("Epoch 1/1");
  }

  /** What a command says where the environment names a card that is not there. */
  private String crema(List<String> arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName()));
    command.addAll(arguments);
    Path output = folder.resolve("output.txt");
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("CREMA_DEVICE", NO_SUCH);
    builder.redirectOutput(output.toFile()).start().waitFor();
    return Files.readString(output, StandardCharsets.UTF_8);
  }
}
