package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.OtherJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProcessLockTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir Path parent;

  /** Holds the lock of FOLDER until its standard input ends. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] arguments) throws IOException {
      ProcessLock lock = ProcessLock.acquire(Path.of(arguments[0]), LONG);
      Files.createFile(Path.of(arguments[0] + ".held"));
      System.in.read();
      lock.close();
    }
  }

  private OtherJvm holder(Path target) throws Exception {
    OtherJvm jvm = OtherJvm.start(List.of("-Xmx32m"), Holder.class, target);
    while (!Files.exists(Path.of(target + ".held"))) {
      assertThat(jvm.isAlive()).isTrue();
      Thread.sleep(5);
    }
    return jvm;
  }

  @Test
  void theFileGoesWithItsHolder() {
    Path target = parent.resolve("made/model");
    ProcessLock lock = ProcessLock.acquire(target, LONG);
    assertThat(lock.isHeld()).isTrue();
    assertThat(ProcessLock.file(target)).exists();
    lock.close();
    assertThat(ProcessLock.file(target)).doesNotExist();
  }

  @Test
  void whoWaitsTooLongIsToldForWhomAndWhatToDo() throws Exception {
    Path target = parent.resolve("model");
    try (OtherJvm other = holder(target)) {
      assertThatThrownBy(() -> ProcessLock.acquire(target, Duration.ofMillis(50)))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("Cannot write " + target)
          .hasMessageContaining("another process has been writing it")
          .hasMessageContaining(ProcessLock.file(target).toString())
          .hasMessageContaining("End that process or choose another folder");
      assertThat(other.isAlive()).isTrue();
    }
  }

  @Test
  void theSystemDropsTheLockOfAProcessThatIsKilled() throws Exception {
    Path target = parent.resolve("model");
    try (OtherJvm other = holder(target)) {
      other.kill();
    }
    assertThat(ProcessLock.file(target)).as("left by the crash").exists();
    ProcessLock lock = ProcessLock.acquire(target, LONG);
    assertThat(lock.isHeld()).isTrue();
    lock.close();
    assertThat(ProcessLock.file(target)).doesNotExist();
  }

  @Test
  void whereNoLockCanBeHadTheSaveGoesOn() throws IOException {
    Path target = parent.resolve("model");
    Files.createDirectory(ProcessLock.file(target)); // which cannot be opened as a file
    ModelArchive.write(target, ModelArchiveTest.model(3));
    try (ModelArchive archive = ModelArchive.open(target)) {
      ModelArchiveTest.check(archive, 3);
    }
    assertThat(ProcessLock.file(target)).isDirectory();
  }
}
