package dev.crema.io;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The system's lock on a file beside a target, {@code .NAME.crema-lock}, which one process at a
 * time holds and which the system drops when that process dies. The file goes when its holder is
 * done; one that a crash left serves again.
 *
 * <p>Where no lock can be had (a file system without locks, a lock file of another user), the save
 * goes on without it and the log says so: readers still see a whole model, but two processes that
 * save it at once may make one of them fail.
 */
final class ProcessLock implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessLock.class);
  private static final String SUFFIX = "crema-lock";
  private static final Duration SAY_AFTER = Duration.ofSeconds(10);
  private static final long MOST_PAUSE_MILLIS = 20;

  // Of the same length: the second is written over the first, which takes no space on a full disk.
  private static final byte[] HELD = "held".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] GONE = "gone".getBytes(StandardCharsets.US_ASCII);

  private final Path file;
  private final FileChannel channel; // null: without a lock

  private ProcessLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  static Path file(Path target) {
    return target.resolveSibling(Temporaries.prefix(target) + SUFFIX);
  }

  /**
   * Waits until no other process has it. Threads of this process must not ask for the same target
   * at once.
   *
   * @param target a real path
   * @throws CremaException if another process holds it for longer than {@code most}
   */
  static ProcessLock acquire(Path target, Duration most) {
    Path file = file(target);
    long start = System.nanoTime();
    boolean said = false;
    for (long turn = 0; ; turn++) {
      FileChannel channel = null;
      try {
        Files.createDirectories(target.getParent());
        channel = tried(file);
      } catch (IOException e) {
        if (Files.exists(file)) { // else nothing can be written here, and the save will say that
          LOG.warn("Saving {} without a lock: cannot lock {}: {}", target, file, e.toString());
        }
        return new ProcessLock(file, null);
      }
      if (channel != null) {
        return new ProcessLock(file, channel);
      }
      long waited = System.nanoTime() - start;
      if (waited > most.toNanos()) {
        throw new CremaException(
            "Cannot write "
                + target
                + ": another process has been writing it for "
                + most.toSeconds()
                + " seconds (it holds "
                + file
                + "). What stood there before is unchanged. End that process or choose another"
                + " folder.");
      }
      if (!said && waited > SAY_AFTER.toNanos()) {
        LOG.info("Waiting for another process that is saving {}", target);
        said = true;
      }
      pause(target, turn);
    }
  }

  /** The file, locked; null if another process holds it or has just deleted it. */
  private static FileChannel tried(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    boolean held = false;
    try {
      FileLock lock = channel.tryLock();
      // Between opening and locking it may have been deleted, and another one locked in its place.
      if (lock != null && !isGone(channel)) {
        channel.write(ByteBuffer.wrap(HELD), 0); // fails on a full disk
        held = true;
      }
    } catch (OverlappingFileLockException e) {
      return null; // this process, by another name of the folder
    } finally {
      if (!held) {
        channel.close();
      }
    }
    return held ? channel : null;
  }

  private static boolean isGone(FileChannel channel) throws IOException {
    ByteBuffer mark = ByteBuffer.allocate(GONE.length);
    channel.read(mark, 0);
    return mark.flip().equals(ByteBuffer.wrap(GONE));
  }

  private static void pause(Path target, long turn) {
    try {
      TimeUnit.MILLISECONDS.sleep(Math.min(1 + turn, MOST_PAUSE_MILLIS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException(
          "Interrupted while waiting for another process that is writing " + target, e);
    }
  }

  boolean isHeld() {
    return channel != null;
  }

  @Override
  public void close() {
    if (channel == null) {
      return;
    }
    try (channel) {
      // Deleted first: after a crash between the two, no file says of itself that it is gone.
      Files.deleteIfExists(file);
      channel.write(ByteBuffer.wrap(GONE), 0);
    } catch (IOException e) {
      LOG.debug("The lock file {} stays: {}", file, e.toString());
    }
  }
}
