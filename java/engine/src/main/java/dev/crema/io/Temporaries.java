package dev.crema.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;

/**
 * Temporary siblings of a target: {@code .NAME.<milliseconds>-<process>-<random><suffix>}. They
 * hold a file lock while they are written, which the system drops when a process dies: so one that
 * is old and can be locked was left by a crash. Process numbers would not tell, because containers
 * that share a folder do not share them.
 */
final class Temporaries {
  /** Being written. */
  static final String PART = ".crema-part";

  /** A folder set aside while its successor takes its place. */
  static final String OLD = ".crema-old";

  /** The file in a temporary folder that carries its lock. */
  static final String LOCK = ".crema-lock";

  /**
   * Covers the instants in which a live temporary is not locked: just made, about to be renamed.
   */
  static final Duration STALE_AFTER = Duration.ofMinutes(10);

  private static final String PROCESS = UUID.randomUUID().toString().substring(0, 13);

  private Temporaries() {}

  static Path sibling(Path target, String suffix) {
    return target.resolveSibling(
        prefix(target)
            + System.currentTimeMillis()
            + "-"
            + PROCESS
            + "-"
            + UUID.randomUUID().toString().substring(0, 8)
            + suffix);
  }

  /** All siblings of that suffix, the newest first. */
  static List<Path> siblings(Path target, String suffix) throws IOException {
    List<Path> found = new ArrayList<>();
    String prefix = prefix(target);
    DirectoryStream.Filter<Path> ours =
        p -> {
          String name = p.getFileName().toString();
          return name.startsWith(prefix) && name.endsWith(suffix) && madeAt(target, p) >= 0;
        };
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(target.getParent(), ours)) {
      stream.forEach(found::add);
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    found.sort(Comparator.comparingLong((Path p) -> madeAt(target, p)).reversed());
    return found;
  }

  /** Deletes what crashed writers of {@code target} left. Never fails: it is a courtesy. */
  static void sweep(Path target) {
    try {
      for (Path part : siblings(target, PART)) {
        if (isStale(part)) {
          delete(part);
        }
      }
      long before = System.currentTimeMillis() - STALE_AFTER.toMillis();
      for (Path old : siblings(target, OLD)) {
        // While the target is missing, what was set aside is the only copy.
        if (madeAt(target, old) < before && Files.exists(target)) {
          delete(old);
        }
      }
    } catch (IOException e) {
      return;
    }
  }

  /** Deletes a file or a folder with all in it; follows no links; ignores what is gone already. */
  static void delete(Path path) {
    try {
      Files.walkFileTree(
          path,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes a) throws IOException {
              Files.deleteIfExists(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException e)
                throws IOException {
              Files.deleteIfExists(folder);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      return; // the next writer's sweep tries again
    }
  }

  /** Locks the channel's file if the file system has locks; without, its temporaries stay. */
  static void lock(FileChannel channel) {
    try {
      channel.tryLock();
    } catch (IOException | OverlappingFileLockException e) {
      return;
    }
  }

  private static boolean isStale(Path part) {
    if (part.getFileName().toString().contains("-" + PROCESS + "-")) {
      // Ours. It must not even be opened: closing it would drop the writing thread's lock.
      return false;
    }
    try {
      long changed = Files.getLastModifiedTime(part, LinkOption.NOFOLLOW_LINKS).toMillis();
      if (changed > System.currentTimeMillis() - STALE_AFTER.toMillis()) {
        return false;
      }
      boolean folder = Files.isDirectory(part, LinkOption.NOFOLLOW_LINKS);
      Path lockFile = folder ? part.resolve(LOCK) : part;
      if (!Files.isRegularFile(lockFile, LinkOption.NOFOLLOW_LINKS)) {
        return folder;
      }
      try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE);
          FileLock lock = channel.tryLock()) {
        return lock != null;
      }
    } catch (IOException | OverlappingFileLockException e) {
      return false;
    }
  }

  static String prefix(Path target) {
    String name = target.getFileName().toString();
    // 255 bytes is the longest name of most file systems.
    String shorter =
        name.length() <= 60
            ? name
            : name.substring(0, 50) + "~" + Integer.toHexString(name.hashCode());
    return "." + shorter + ".";
  }

  /** Milliseconds since 1970 from the name, or −1 if it is not one of ours. */
  private static long madeAt(Path target, Path sibling) {
    String rest = sibling.getFileName().toString().substring(prefix(target).length());
    int dash = rest.indexOf('-');
    try {
      return dash < 0 ? -1 : Long.parseLong(rest.substring(0, dash));
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
