package dev.crema.io;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a folder whole or not at all: under a temporary sibling name, then put in place by rename.
 * Where a folder stood before, two renames are needed: the old one steps aside, the new one takes
 * its place. A reader that comes in between, or after a crash in between, finds the old one through
 * {@link #current}; the next writer puts it back. Several writers at once: the last one wins.
 * Thread-safe.
 */
public final class AtomicFolders {
  private static final Logger LOG = LoggerFactory.getLogger(AtomicFolders.class);

  // Each further turn needs another writer to have renamed in the same microseconds.
  private static final int MAX_TURNS = 1000;

  private static final String GONE = "gone";

  // Renames that fail although nothing stands in the way: more in a row is no race.
  private static final int MAX_FAILURES = 100;

  private AtomicFolders() {}

  /** Fills the new folder. */
  @FunctionalInterface
  public interface Filler {
    /**
     * @param folder empty and under a temporary name; forcing the files in it to the disk is the
     *     filler's task
     */
    void fill(Path folder) throws IOException;
  }

  /**
   * Replaces {@code target} by a new folder. The old folder and all in it are deleted at the end.
   *
   * @throws CremaException naming the folder and the free space if the file system refuses; what
   *     {@code filler} throws is passed on. The old folder then stands as it was.
   */
  public static void write(Path target, Filler filler) {
    if (Files.isRegularFile(target)) { // one look: another writer may swap it between two
      throw new CremaException(
          "Cannot write folder " + target + ": it is a file. Delete it or choose another name.");
    }
    Path temporary = null;
    try {
      Path real = AtomicFiles.resolve(target);
      Files.createDirectories(real.getParent());
      putBack(real);
      Temporaries.sweep(real);
      temporary = Temporaries.sibling(real, Temporaries.PART);
      Files.createDirectory(temporary);
      Path lockFile = temporary.resolve(Temporaries.LOCK);
      try (FileChannel lock =
          FileChannel.open(lockFile, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        Temporaries.lock(lock);
        filler.fill(temporary);
      }
      Files.delete(lockFile);
      AtomicFiles.forceFolder(temporary);
      swap(temporary, real);
      temporary = null;
    } catch (IOException e) {
      if (temporary != null) {
        Temporaries.delete(temporary);
      }
      throw FileErrors.cannotWrite(target, -1, e);
    } finally {
      if (temporary != null) {
        Temporaries.delete(temporary);
      }
    }
  }

  /**
   * Puts a finished folder in the place of {@code target} and deletes the folder that stood there.
   *
   * @param finished a whole folder, forced to the disk, on the same file system; gone afterwards
   * @throws CremaException if the file system refuses; both folders then stand as they were
   */
  public static void replaceDirectory(Path finished, Path target) {
    try {
      swap(finished, AtomicFiles.resolve(target));
    } catch (IOException e) {
      throw FileErrors.cannotWrite(target, -1, e);
    }
  }

  /**
   * The folder that holds the newest whole version of {@code target}: itself, or, while a writer is
   * between its two renames or was killed there, the one set aside. {@code target} itself if there
   * is neither.
   */
  public static Path current(Path target) {
    try {
      Path real = AtomicFiles.resolve(target);
      for (int turn = 0; turn < MAX_TURNS; turn++) {
        if (Files.exists(real)) {
          return real;
        }
        List<Path> old = Temporaries.siblings(real, Temporaries.OLD);
        if (old.isEmpty()) {
          if (Files.exists(real)) {
            return real;
          }
          return target;
        }
        if (Files.isDirectory(old.get(0))) {
          LOG.debug("{} is missing; reading {}, which its writer set aside", target, old.get(0));
          return old.get(0);
        }
      }
      return target;
    } catch (IOException e) {
      return target;
    }
  }

  /**
   * What {@code reader} makes of the current folder, or empty if there is none. Asked again if it
   * throws a {@link CremaException} and the folder was replaced meanwhile: a reader that looked up
   * one file in the old folder and the next in the new one then sees one of them whole.
   */
  static <T> Optional<T> read(Path target, Function<Path, T> reader) {
    int gone = 0;
    for (int turn = 1; ; turn++) {
      Path folder = current(target);
      Object before = identity(folder);
      if (before.equals(GONE)) {
        // Once may mean that it moved between the two looks.
        if (++gone == 3 || turn >= MAX_TURNS) {
          return Optional.empty();
        }
        continue;
      }
      gone = 0;
      try {
        return Optional.of(reader.apply(folder));
      } catch (CremaException e) {
        boolean replaced = !current(target).equals(folder) || !identity(folder).equals(before);
        if (!replaced || turn >= MAX_TURNS) {
          throw e;
        }
      }
    }
  }

  private static Object identity(Path folder) {
    try {
      var a = Files.readAttributes(folder, BasicFileAttributes.class);
      return List.of(a.fileKey() == null ? "" : a.fileKey(), a.lastModifiedTime());
    } catch (IOException e) {
      return GONE;
    }
  }

  private static void putBack(Path target) throws IOException {
    FileSystemException refused = null;
    for (int turn = 0; turn < MAX_FAILURES; turn++) {
      if (Files.exists(target)) {
        return;
      }
      List<Path> old = Temporaries.siblings(target, Temporaries.OLD);
      if (old.isEmpty()) {
        return;
      }
      try {
        Files.move(old.get(0), target, StandardCopyOption.ATOMIC_MOVE);
        return;
      } catch (FileSystemException e) {
        // Its own writer may be alive, or another have put a folder there and taken it away again:
        // only a new look tells.
        refused = e;
      }
    }
    throw refused;
  }

  private static void swap(Path finished, Path target) throws IOException {
    List<Path> setAside = new ArrayList<>();
    int failures = 0;
    for (int turn = 0; turn < MAX_TURNS; turn++) {
      Path old = Temporaries.sibling(target, Temporaries.OLD);
      if (moveIfThere(target, old)) {
        setAside.add(old);
      }
      try {
        Files.move(finished, target, StandardCopyOption.ATOMIC_MOVE);
        AtomicFiles.forceFolder(target.getParent());
        setAside.forEach(aside -> discard(aside, target));
        return;
      } catch (IOException e) {
        // Where another writer was quicker, its folder is the one to replace now.
        failures = Files.exists(target) ? 0 : failures + 1;
        if (failures > MAX_FAILURES || !Files.exists(finished)) {
          if (!setAside.isEmpty()) {
            restore(setAside.get(setAside.size() - 1), target, e);
          }
          throw e;
        }
      }
    }
    throw new IOException("other writers kept replacing it");
  }

  // Under another name first: nobody may take a half deleted folder for the old version.
  private static void discard(Path old, Path target) {
    Path doomed = Temporaries.sibling(target, Temporaries.PART);
    try {
      moveIfThere(old, doomed);
    } catch (IOException e) {
      LOG.debug("{} stays set aside: {}", old, e.toString());
      return;
    }
    Temporaries.delete(doomed);
  }

  private static void restore(Path old, Path target, IOException why) {
    try {
      moveIfThere(old, target);
    } catch (IOException e) {
      why.addSuppressed(e); // it stays set aside, where current() finds it
    }
  }

  private static boolean moveIfThere(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
      return true;
    } catch (NoSuchFileException e) {
      return false;
    }
  }
}
