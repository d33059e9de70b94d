package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
  @TempDir Path folder;

  private List<Path> listing() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.toList();
    }
  }

  @Test
  void anInterruptedThreadIsToldSoAndNotThatTheDiskIsFull() throws IOException {
    Path file = Files.writeString(folder.resolve("kept"), "old");
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> AtomicFiles.write(file, Content.of("new")))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("the thread was interrupted")
          .hasMessageEndingWith("Save on a thread that nobody interrupts.");
    } finally {
      assertThat(Thread.interrupted()).as("it stays interrupted").isTrue();
    }
    assertThat(Files.readString(file)).isEqualTo("old");
  }

  @Test
  void aFileIsWrittenAndReplacedWithNothingLeftBeside() throws IOException {
    Path file = folder.resolve("a.txt");
    AtomicFiles.write(file, Content.of("one"));
    AtomicFiles.write(file, Content.of(ByteBuffer.wrap(new byte[] {'t', 'w', 'o'})));
    assertThat(file).hasContent("two");
    assertThat(listing()).containsExactly(file);
  }

  @Test
  void missingFoldersAreMadeAndLongNamesWork() {
    Path file = folder.resolve("x/y").resolve("n".repeat(250));
    AtomicFiles.write(file, Content.of("deep"));
    assertThat(file).hasContent("deep");
  }

  @Test
  void aLinkIsFollowed() throws IOException {
    Path real = Files.writeString(folder.resolve("real"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), real);
    AtomicFiles.write(link, Content.of("new"));
    assertThat(real).hasContent("new");
    assertThat(link).isSymbolicLink();
  }

  @Test
  void aFullDiskLeavesTheOldFileAndNamesPathNeedAndFreeSpace() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "old");
    Content content = Content.of(new byte[3_000_000]);
    for (long capacity : new long[] {0, 1, 2_999_999}) {
      assertThatThrownBy(
              () ->
                  AtomicFiles.write(
                      file,
                      content.size(),
                      content::writeTo,
                      out -> new FailingChannel(out, capacity)))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("Cannot write " + file + ": No space left on device")
          .hasMessageContaining("needs 3000000 bytes")
          .hasMessageMatching("(?s).*\\d+ bytes free.*");
      assertThat(file).hasContent("old");
      assertThat(listing()).containsExactly(file);
    }
  }

  @Test
  void anExceptionOfTheContentPassesAndLeavesTheOldFile() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "old");
    var stop = new IllegalStateException("stop");
    Content content =
        out -> {
          out.write(ByteBuffer.allocate(10));
          throw stop;
        };
    assertThatThrownBy(() -> AtomicFiles.write(file, content)).isSameAs(stop);
    assertThat(file).hasContent("old");
    assertThat(listing()).containsExactly(file);
  }

  @Test
  void foldersAndDevicesAreNotReplaced() {
    assertThatThrownBy(() -> AtomicFiles.write(folder, Content.of("x")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("it is a folder or a device");
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "Skipped: no /dev/full on this system");
    assertThatThrownBy(() -> AtomicFiles.write(full, Content.of("x")))
        .isInstanceOf(CremaException.class);
  }

  @Test
  void aFolderThatCannotBeMadeIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "old");
    assertThatThrownBy(() -> AtomicFiles.write(file.resolve("b"), Content.of("x")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("Cannot write " + file.resolve("b"));
  }

  @Test
  void onlyOldUnlockedTemporariesOfOtherProcessesAreSwept() throws IOException {
    Path file = folder.resolve("a");
    FileTime hourAgo = FileTime.from(Instant.now().minusSeconds(3600));
    Path crashed = Files.writeString(folder.resolve(".a.1000-dead-1.crema-part"), "x");
    Path fresh = Files.writeString(folder.resolve(".a.1001-other-1.crema-part"), "x");
    Path locked = Files.writeString(folder.resolve(".a.1002-other-2.crema-part"), "x");
    Path ours = Files.writeString(Temporaries.sibling(file, Temporaries.PART), "x");
    Path foreign = Files.writeString(folder.resolve(".a.notes.crema-part"), "x");
    Path sibling = Files.writeString(folder.resolve(".ab.1000-dead-1.crema-part"), "x");
    for (Path p : List.of(crashed, locked, ours, foreign, sibling)) {
      Files.setLastModifiedTime(p, hourAgo);
    }
    try (FileChannel channel = FileChannel.open(locked, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertThat(lock.isValid()).isTrue();
      AtomicFiles.write(file, Content.of("new"));
    }
    assertThat(listing()).containsExactlyInAnyOrder(file, fresh, locked, ours, foreign, sibling);
  }

  @Test
  void readersSeeOneVersionWholeWhileWritersReplaceIt() {
    Path file = folder.resolve("a");
    AtomicFiles.write(file, version(0));
    var done = new AtomicBoolean();
    var writers =
        Stream.of(1, 2)
            .map(
                start ->
                    CompletableFuture.runAsync(
                        () -> {
                          for (int i = start; i < 60; i += 2) {
                            AtomicFiles.write(file, version(i));
                          }
                        }))
            .toList();
    var all = CompletableFuture.allOf(writers.toArray(new CompletableFuture<?>[0]));
    all.whenComplete((r, e) -> done.set(true));
    int reads = 0;
    while (!done.get() || reads == 0) {
      byte[] bytes = read(file);
      byte[] whole = new byte[100_000];
      Arrays.fill(whole, bytes[0]);
      assertThat(bytes).isEqualTo(whole);
      reads++;
    }
    all.join();
  }

  private static Content version(int i) {
    byte[] bytes = new byte[100_000];
    Arrays.fill(bytes, (byte) i);
    return Content.of(bytes);
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new AssertionError("A reader found no file", e);
    }
  }
}
