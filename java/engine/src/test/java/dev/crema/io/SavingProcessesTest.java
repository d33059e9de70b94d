package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.OtherJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several JVMs that save one model folder at once, while this one reads it. */
@Timeout(120)
class SavingProcessesTest {
  private static final List<String> SMALL = List.of("-Xmx64m", "-XX:TieredStopAtLevel=1");

  /** So many that without {@link ProcessLock} some of them fail or lose a file, every time. */
  private static final int SAVES = 250;

  private static final int MANY = 1_000_000;

  @TempDir(factory = MemoryDisk.class)
  Path parent;

  private Path target;

  @BeforeEach
  void save() throws IOException {
    target = parent.resolve("model");
    ModelArchive.write(target, ModelArchiveTest.model(0));
    Files.writeString(target.resolve("README.md"), "mine");
  }

  private OtherJvm saving(Path folder, int first, int count) throws IOException {
    return OtherJvm.start(SMALL, SavingProcess.class, folder, first, count);
  }

  private int readOne() throws IOException {
    try (ModelArchive archive = ModelArchive.open(target)) {
      int version = archive.json(ModelArchive.MODEL).path("version").asInt(-1);
      ModelArchiveTest.check(archive, version);
      return version;
    }
  }

  private void assertNothingIsLeftBeside() throws IOException {
    try (Stream<Path> left = Files.list(parent)) {
      assertThat(left).containsExactly(target);
    }
  }

  @Test
  void noSaveFailsNoFileOfAUserIsLostAndEveryReadIsWhole() throws Exception {
    List<OtherJvm> writers = new ArrayList<>();
    Set<Integer> seen = new HashSet<>();
    try {
      for (int w = 1; w <= 3; w++) {
        writers.add(saving(target, 1000 * w, SAVES));
      }
      while (writers.stream().anyMatch(OtherJvm::isAlive)) {
        seen.add(readOne());
      }
      for (OtherJvm writer : writers) {
        assertThat(writer.finish()).isEmpty();
      }
    } finally {
      writers.forEach(OtherJvm::close);
    }
    assertThat(readOne() % 1000).isEqualTo(SAVES - 1);
    assertThat(seen).hasSizeGreaterThan(1);
    assertThat(target.resolve("README.md")).hasContent("mine");
    assertNothingIsLeftBeside();
  }

  @Test
  void aLinkToTheFolderIsTheSameFolder() throws Exception {
    Path link = Files.createSymbolicLink(parent.resolve("current"), target);
    try (OtherJvm byName = saving(target, 1000, SAVES);
        OtherJvm byLink = saving(link, 2000, SAVES)) {
      assertThat(byName.finish()).isEmpty();
      assertThat(byLink.finish()).isEmpty();
    }
    assertThat(link).isSymbolicLink();
    assertThat(target.resolve("README.md")).hasContent("mine");
    Files.delete(link);
    assertNothingIsLeftBeside();
  }

  @Test
  void aWriterThatIsKilledStopsNobody() throws Exception {
    for (int round = 0; round < 3; round++) {
      try (OtherJvm victim = saving(target, 1, MANY)) {
        while (readOne() == 0) {
          assertThat(victim.isAlive()).isTrue();
        }
        Thread.sleep(5L * round);
        victim.kill();
      }
      readOne();
      ModelArchive.write(target, ModelArchiveTest.model(0));
      assertThat(readOne()).isZero();
      assertThat(target.resolve("README.md")).hasContent("mine");
    }
  }
}
