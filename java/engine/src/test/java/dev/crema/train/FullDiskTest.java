package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.OtherJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A disk that is full: a clear error, and what stood there before is whole. */
@Timeout(120)
class FullDiskTest {
  private static final List<String> SMALL = List.of("-Xmx128m", "-XX:TieredStopAtLevel=1");

  /** A file system of one megabyte over the folder, in a name space that ends with the process. */
  private static final List<String> SMALL_DISK =
      List.of(
          "unshare", "-Urm", "sh", "-c", "mount -t tmpfs -o size=1m none \"$0\" && exec \"$@\"");

  @TempDir Path folder;

  private static boolean succeeds(List<String> command) throws InterruptedException {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static List<String> with(List<String> command, String... more) {
    return Stream.concat(command.stream(), List.of(more).stream()).toList();
  }

  @Test
  void aDiskThatFillsUpLosesNothing() throws Exception {
    boolean mounts = succeeds(with(SMALL_DISK, folder.toString(), "true"));
    if (!mounts) {
      System.err.println("FullDiskTest: no small disk can be mounted here (unshare, tmpfs).");
    }
    assumeTrue(mounts, "a small disk can be mounted");
    try (OtherJvm process =
        OtherJvm.startUnder(
            with(SMALL_DISK, folder.toString()), SMALL, FullDiskProcess.class, folder, "disk")) {
      assertThat(process.finish()).contains("all stayed whole");
    }
    try (var files = Files.list(folder)) {
      assertThat(files).as("all was written to the small disk").isEmpty();
    }
  }

  @Test
  void aFileThatMayNotGrowLosesNothing() throws Exception {
    List<String> limited = List.of("sh", "-c", "ulimit -f 1024 && exec \"$@\"", "sh");
    boolean limits = succeeds(with(limited, "true"));
    if (!limits) {
      System.err.println("FullDiskTest: this shell limits no files (ulimit -f).");
    }
    assumeTrue(limits, "files can be limited");
    try (OtherJvm process =
        OtherJvm.startUnder(limited, SMALL, FullDiskProcess.class, folder, "files")) {
      assertThat(process.finish()).contains("all stayed whole");
    }
  }
}
