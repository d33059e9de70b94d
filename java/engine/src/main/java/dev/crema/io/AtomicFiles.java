package dev.crema.io;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.function.UnaryOperator;

/**
 * Writes a file whole or not at all: to a temporary name in the same folder, forced to the disk,
 * then renamed over the old one. A reader sees the old file or the new one. After a failure the old
 * file is untouched and the temporary is gone; after a crash the temporary is removed by a later
 * write of the same file. Of several writers at once the last to finish wins. Thread-safe.
 */
public final class AtomicFiles {
  private static final int MAX_LINKS = 40;

  private AtomicFiles() {}

  /**
   * Writes {@code content} to {@code target}. Missing parent folders are made; a symbolic link is
   * followed.
   *
   * @throws CremaException naming the file, the bytes needed and the free space if the file system
   *     refuses; whatever {@code content} throws is passed on
   */
  public static void write(Path target, Content content) {
    write(target, content.size(), content::writeTo, UnaryOperator.identity());
  }

  /** What needs to go back to what it has written. */
  @FunctionalInterface
  interface Body {
    void writeTo(SeekableByteChannel out) throws IOException;
  }

  /**
   * @param size bytes to be written, or −1
   * @param through put between the body and the file; tests make it fail
   */
  static void write(Path target, long size, Body body, UnaryOperator<SeekableByteChannel> through) {
    if (Files.exists(target) && !Files.isRegularFile(target)) { // a rename would remove a device
      throw new CremaException(
          "Cannot write " + target + ": it is a folder or a device; expected the name of a file.");
    }
    Path temporary = null;
    try {
      Path real = resolve(target);
      Files.createDirectories(real.getParent());
      Temporaries.sweep(real);
      temporary = Temporaries.sibling(real, Temporaries.PART);
      writeNew(temporary, body, through);
      Files.move(temporary, real, StandardCopyOption.ATOMIC_MOVE);
      temporary = null;
      forceFolder(real.getParent());
    } catch (IOException e) {
      delete(temporary);
      throw FileErrors.cannotWrite(target, size, e);
    } finally {
      delete(temporary);
    }
  }

  /** Creates a file, writes it and forces it to the disk. */
  static void writeNew(Path file, Body body, UnaryOperator<SeekableByteChannel> through)
      throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      Temporaries.lock(channel);
      body.writeTo(through.apply(channel));
      channel.force(true);
    }
  }

  /**
   * The absolute path that a write of {@code target} replaces: links are followed, also those to
   * what is missing, as a folder is for the instant between two renames.
   */
  static Path resolve(Path target) throws IOException {
    Path path = target.toAbsolutePath();
    for (int links = 0; links < MAX_LINKS; links++) {
      try {
        return named(path.toRealPath());
      } catch (NoSuchFileException e) {
        if (!Files.isSymbolicLink(path)) {
          return missing(path.normalize());
        }
      }
      try {
        path = path.resolveSibling(Files.readSymbolicLink(path));
      } catch (NotLinkException | NoSuchFileException e) {
        continue; // someone replaced it between the two looks
      }
    }
    throw new IOException("its links lead in a circle");
  }

  private static Path missing(Path path) throws IOException {
    named(path);
    try {
      return path.getParent().toRealPath().resolve(path.getFileName());
    } catch (NoSuchFileException e) {
      return path;
    }
  }

  private static Path named(Path path) throws IOException {
    if (path.getFileName() == null) {
      throw new IOException("it is the root of a file system");
    }
    return path;
  }

  /** Makes a rename last through a power cut, where the system can. */
  static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      return; // Windows opens no folders; the rename itself has succeeded
    }
  }

  private static void delete(Path temporary) {
    if (temporary != null) {
      Temporaries.delete(temporary);
    }
  }
}
