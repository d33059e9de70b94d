package dev.crema.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StartTest {
  private static final Fork.Length SHORT = new Fork.Length(20, 2, 20, 2);

  @TempDir private Path folder;

  @Test
  void aStartIsTimedFromTheFirstCallAndAsAWhole() {
    List<Work> works = Works.matching(List.of("load"), false);
    CremaEngine crema = new CremaEngine(false);
    Report report =
        new Bench(works, List.of(crema), List.of(1), 1, SHORT, line -> {}).run(soFar -> {});
    assertThat(report.problems()).isEmpty();
    double first = report.rows().get(0).nanos().orElseThrow();
    double process = report.rows().get(1).nanos().orElseThrow();
    assertThat(first).isPositive();
    assertThat(process).isPositive();
    assertThat(report.rows().get(0).hasLimit()).isFalse();
    assertThat(report.rows().get(1).hasLimit()).isTrue();
    assertThat(report.table().get(1)).startsWith("load.first-prediction").element(3).isEqualTo("");
  }

  @Test
  void nothingOfCremaIsLoadedBeforeTheClockStarts() throws IOException {
    Path given = folder.resolve("given");
    Path log = folder.resolve("log");
    Given.of(Network.SEED_MLP, 1).write(given);
    Child.run(
        new CremaEngine(false),
        1,
        List.of("-Xlog:class+load:file=" + log),
        Start.class,
        List.of(Engines.CREMA, "1", given.toString()),
        Files::readAllLines);
    List<String> before = new ArrayList<>();
    boolean started = false;
    for (String line : Files.readAllLines(log)) {
      started |= line.contains(Start.class.getName() + "$Clock ");
      if (!started && line.contains("dev.crema.") && !line.contains("dev.crema.bench.")) {
        before.add(line);
      }
    }
    assertThat(started).isTrue();
    assertThat(before).isEmpty();
  }

  @Test
  void whatIsGivenComesBackFromItsFile() throws IOException {
    Path file = folder.resolve("given");
    Given given = Given.of(Network.SEED_MLP, 2);
    given.write(file);
    Given read = Given.read(file);
    assertThat(read.examples()).isEqualTo(given.examples()).hasSize(200);
    assertThat(read.weights()).hasSize(6);
    for (int i = 0; i < read.weights().size(); i++) {
      assertThat(read.weights().get(i).values()).isEqualTo(given.weights().get(i).values());
      assertThat(read.weights().get(i).dims()).isEqualTo(given.weights().get(i).dims());
    }
  }
}
