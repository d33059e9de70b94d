package dev.crema.natives;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Folders that keep extracted libraries between runs. A library lies in {@code
 * <place>/crema/<key>/}, where the key changes with its contents. Any number of processes and class
 * loaders may come at once: one extracts, under a file lock, to temporary names that are renamed
 * when they are whole; the others wait. What is found there is checked before it is used and
 * replaced when it is damaged.
 */
final class NativeCache {
  /** One lock for all class loaders of this JVM: a file lock may be asked for once a JVM. */
  private static final Object JVM_LOCK = "dev.crema.natives.NativeCache".intern();

  /**
   * Copies of one library that class loaders of one JVM may hold: the JVM loads a file only once.
   */
  private static final int MOST_CLASS_LOADERS = 64;

  private NativeCache() {}

  /** Loads the library from the folder that has its files; a failure is an UnsatisfiedLinkError. */
  interface Loading {
    void from(Path folder);
  }

  /**
   * Extracts the files to the first of the places where that works and where the library loads.
   *
   * @throws UnsatisfiedLinkError if there is none; says why for each
   */
  static void load(
      String what, String key, List<PackagedFile> files, List<CachePlace> places, Loading loading) {
    StringBuilder refusals = new StringBuilder();
    for (CachePlace place : places) {
      try {
        loadAt(place, key, files, loading);
        return;
      } catch (IOException e) {
        refuse(refusals, place, reason(e));
      } catch (UnsatisfiedLinkError e) {
        refuse(refusals, place, "extracted, but it does not load: " + e.getMessage());
      }
    }
    throw new UnsatisfiedLinkError(
        "Cannot load "
            + what
            + " ("
            + NativePlatform.CURRENT
            + "). It is copied from the jar to a folder and loaded from there; tried:"
            + refusals
            + "\nGive a folder that can be written, has room and is not mounted noexec: system"
            + " property crema.cache or environment variable CREMA_CACHE.");
  }

  private static void refuse(StringBuilder refusals, CachePlace place, String reason) {
    refusals
        .append("\n  ")
        .append(place.folder())
        .append(" (")
        .append(place.origin())
        .append("): ");
    refusals.append(reason);
  }

  private static void loadAt(
      CachePlace place, String key, List<PackagedFile> files, Loading loading) throws IOException {
    for (int copy = 1; ; copy++) {
      Path folder = ready(place, copy == 1 ? key : key + "-" + copy, files);
      try {
        loading.from(folder);
        return;
      } catch (UnsatisfiedLinkError e) {
        String message = String.valueOf(e.getMessage());
        if (copy == MOST_CLASS_LOADERS
            || !message.contains("already loaded in another classloader")) {
          throw e;
        }
      }
    }
  }

  /** The folder with the files, whole and checked. */
  private static Path ready(CachePlace place, String key, List<PackagedFile> files)
      throws IOException {
    Path root = place.folder().resolve("crema");
    Path folder = root.resolve(key);
    place.check(root);
    if (isWhole(folder, files)) {
      return folder;
    }
    place.create(root);
    place.create(folder);
    synchronized (JVM_LOCK) {
      try (FileChannel channel =
              FileChannel.open(
                  root.resolve(key + ".lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock lock = lock(channel)) {
        if (lock != null) {
          deleteLeftovers(folder);
        }
        for (PackagedFile file : files) {
          if (!file.isSealedIn(folder)) {
            extract(file, folder);
          }
        }
      }
    }
    return folder;
  }

  /**
   * Null where the file system has no locks: every step is safe without, only done more than once.
   */
  private static FileLock lock(FileChannel channel) {
    try {
      return channel.lock();
    } catch (IOException e) {
      return null;
    }
  }

  private static boolean isWhole(Path folder, List<PackagedFile> files) throws IOException {
    for (PackagedFile file : files) {
      if (!file.isSealedIn(folder)) {
        return false;
      }
    }
    return true;
  }

  /** Temporary files of processes that were killed; with the lock held there are no others. */
  private static void deleteLeftovers(Path folder) throws IOException {
    try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(folder, "*.tmp")) {
      for (Path leftover : leftovers) {
        Files.deleteIfExists(leftover);
      }
    }
  }

  private static void extract(PackagedFile file, Path folder) throws IOException {
    Path temporary = temporary(folder, file.name());
    Path seal = temporary(folder, file.name() + ".seal");
    try {
      String line = file.copyTo(temporary).toString();
      Files.writeString(seal, line, StandardCharsets.ISO_8859_1, StandardOpenOption.CREATE_NEW);
      Files.move(temporary, folder.resolve(file.name()), StandardCopyOption.ATOMIC_MOVE);
      Files.move(seal, folder.resolve(file.name() + ".seal"), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
      Files.deleteIfExists(seal);
    }
  }

  private static Path temporary(Path folder, String name) {
    return folder.resolve(
        name
            + "."
            + ProcessHandle.current().pid()
            + "-"
            + Long.toHexString(System.nanoTime())
            + ".tmp");
  }

  private static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied at " + e.getMessage();
    }
    if (e instanceof FileAlreadyExistsException) {
      return e.getMessage() + " is a file, not a folder";
    }
    if (e instanceof FileSystemException) {
      FileSystemException f = (FileSystemException) e;
      String text = f.getReason() == null ? f.getClass().getSimpleName() : f.getReason();
      return text + " at " + f.getFile();
    }
    return String.valueOf(e.getMessage());
  }
}
