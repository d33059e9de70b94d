package dev.crema.bench.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.device.Device;
import dev.crema.io.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The scripts of bench/gpu, as far as they go without PyTorch. */
class PeersScriptTest {
  private static final Path SCRIPTS = Path.of("gpu").toAbsolutePath();

  @TempDir private Path folder;

  private record Said(int code, String text) {}

  @BeforeAll
  static void thereIsPython() {
    boolean found;
    try {
      found = new ProcessBuilder("python3", "--version").start().waitFor() == 0;
    } catch (IOException | InterruptedException e) {
      found = false;
    }
    assumeTrue(found, "There is no python3, so bench/gpu/*.py are not tested");
  }

  private Said python(String... arguments) throws IOException, InterruptedException {
    Path output = folder.resolve("output.txt");
    List<String> command = new ArrayList<>(List.of("python3", "-B"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .directory(SCRIPTS.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int code = process.waitFor();
    return new Said(code, Files.readString(output, StandardCharsets.UTF_8));
  }

  @Test
  void itsWorksAreCremas() throws Exception {
    Said list = python("peers.py", "--list");
    assertThat(list.code()).as(list.text()).isZero();
    assertThat(list.text().lines())
        .containsExactlyElementsOf(
            CardWorks.of(Sizes.full()).stream().map(CardWork::name).toList());
  }

  @Test
  void itsSizesAreCremas() throws Exception {
    Said sizes = python("-c", "import json, peers; print(json.dumps(peers.SIZES))");
    assertThat(Json.parse(sizes.text(), "peers.py"))
        .isEqualTo(
            Json.parse(
                new String(
                    Json.bytes(Json.mapper().valueToTree(Sizes.full())), StandardCharsets.UTF_8),
                "Sizes"));
  }

  @Test
  void theTableIsJoinedAsItsTestsSay() throws Exception {
    Said tests = python("-m", "unittest", "join_test");
    assertThat(tests.code()).as(tests.text()).isZero();
  }

  @Test
  void withoutPyTorchOnACardTheTableHasCremasFiguresAndSaysSo() throws Exception {
    CardBench bench = new CardBench(Device.cpu(), Sizes.tiny(), new CardTimer(1, 0, 0), line -> {});
    CardReport report = bench.run(CardWorks.of(Sizes.tiny()).subList(5, 7));
    Path file = folder.resolve("crema.json");
    Files.write(file, Json.bytes(report.json()));
    // Where there is a PyTorch, it must not be seen: what it measures takes minutes.
    Said joined =
        python(
            "-c",
            "import sys; sys.modules['torch'] = None; import peers; sys.argv[1:] = "
                + "['--crema', '"
                + file
                + "']; sys.exit(peers.main())");
    assertThat(joined.code()).as(joined.text()).isZero();
    assertThat(joined.text())
        .contains("PyTorch is not measured", "| adam |", "| softmax |", "Small sizes");
  }
}
