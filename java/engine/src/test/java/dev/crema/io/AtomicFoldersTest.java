package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFoldersTest {
  @TempDir Path parent;

  private Path target() {
    return parent.resolve("model");
  }

  private void write(String text) {
    AtomicFolders.write(target(), folder -> Files.writeString(folder.resolve("a"), text));
  }

  private List<Path> listing() throws IOException {
    try (Stream<Path> all = Files.list(parent)) {
      return all.toList();
    }
  }

  @Test
  void aFolderIsReplacedWithNothingLeftBesideOrInside() throws IOException {
    write("one");
    Files.writeString(target().resolve("b"), "of the old version");
    write("two");
    assertThat(listing()).containsExactly(target());
    assertThat(Files.list(target())).containsExactly(target().resolve("a"));
    assertThat(target().resolve("a")).hasContent("two");
  }

  @Test
  void aFailureLeavesTheOldFolderAndNoTemporary() throws IOException {
    write("old");
    assertThatThrownBy(
            () ->
                AtomicFolders.write(
                    target(),
                    folder -> {
                      Files.writeString(folder.resolve("a"), "new");
                      throw new IOException("No space left on device");
                    }))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("Cannot write " + target() + ": No space left on device")
        .hasMessageMatching("(?s).*\\d+ bytes free.*");
    assertThat(target().resolve("a")).hasContent("old");
    assertThat(listing()).containsExactly(target());
  }

  @Test
  void aFinishedFolderThatIsMissingDoesNotCostTheOldOne() throws IOException {
    write("old");
    assertThatThrownBy(() -> AtomicFolders.replaceDirectory(parent.resolve("none"), target()))
        .isInstanceOf(CremaException.class);
    assertThat(target().resolve("a")).hasContent("old");
    assertThat(listing()).containsExactly(target());
  }

  @Test
  void aFinishedFolderTakesThePlaceOfTheOldOne() throws IOException {
    write("old");
    Path finished = Files.createDirectory(parent.resolve("finished"));
    Files.writeString(finished.resolve("a"), "new");
    AtomicFolders.replaceDirectory(finished, target());
    assertThat(target().resolve("a")).hasContent("new");
    assertThat(listing()).containsExactly(target());
  }

  @Test
  void afterACrashBetweenTheTwoRenamesReadersFindTheOldFolderAndTheNextWriterPutsItBack()
      throws IOException {
    write("old");
    Path aside = parent.resolve(".model.1000-dead-1.crema-old");
    Files.move(target(), aside);
    assertThat(AtomicFolders.current(target()).resolve("a")).hasContent("old");

    assertThatThrownBy(
            () ->
                AtomicFolders.write(
                    target(),
                    folder -> {
                      throw new IOException("disk on fire");
                    }))
        .isInstanceOf(CremaException.class);
    assertThat(target().resolve("a")).hasContent("old");
    assertThat(listing()).containsExactly(target());
  }

  @Test
  void whatCrashedWritersLeftIsSweptAndWhatLiveOnesHoldIsNot() throws IOException {
    write("one");
    Path crashed = Files.createDirectory(parent.resolve(".model.1000-dead-1.crema-part"));
    Files.writeString(crashed.resolve("a"), "half");
    Path lockedOut = Files.createDirectory(parent.resolve(".model.1001-live-1.crema-part"));
    Path lock = Files.createFile(lockedOut.resolve(Temporaries.LOCK));
    Path aside = Files.createDirectory(parent.resolve(".model.1002-dead-1.crema-old"));
    long now = System.currentTimeMillis();
    Path justAside = Files.createDirectory(parent.resolve(".model." + now + "-x-1.crema-old"));
    FileTime hourAgo = FileTime.from(Instant.now().minusSeconds(3600));
    Files.setLastModifiedTime(crashed, hourAgo);
    Files.setLastModifiedTime(lockedOut, hourAgo);
    try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
        FileLock held = channel.lock()) {
      assertThat(held.isValid()).isTrue();
      write("two");
    }
    assertThat(listing()).containsExactlyInAnyOrder(target(), lockedOut, justAside);
    assertThat(aside).doesNotExist();
  }

  @Test
  void aFileIsNotReplacedByAFolder() throws IOException {
    Files.writeString(target(), "precious");
    assertThatThrownBy(() -> write("x"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("it is a file");
    assertThat(target()).hasContent("precious");
  }

  @Test
  void manyWritersAtOnceLeaveOneWholeFolder() throws IOException {
    var all =
        IntStream.range(0, 6)
            .mapToObj(
                w ->
                    CompletableFuture.runAsync(
                        () -> {
                          for (int i = 0; i < 60; i++) {
                            write(w + "." + i);
                          }
                        }))
            .toArray(CompletableFuture<?>[]::new);
    CompletableFuture.allOf(all).join();
    assertThat(listing()).containsExactly(target());
    assertThat(Files.readString(target().resolve("a"))).matches("\\d\\.59");
  }
}
