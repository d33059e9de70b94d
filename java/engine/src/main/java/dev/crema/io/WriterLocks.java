package dev.crema.io;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets one writer at a time replace a folder, of all threads of all processes: whoever looks at
 * what must be kept of the old one must be the one who replaces it. Threads wait for a lock of this
 * process, then for {@link ProcessLock}.
 */
final class WriterLocks {
  /** Longer than a save takes, however large the model and slow the disk. */
  private static final Duration MOST = Duration.ofMinutes(30);

  private static final ReentrantLock[] STRIPES = new ReentrantLock[64];

  static {
    Arrays.setAll(STRIPES, i -> new ReentrantLock());
  }

  private WriterLocks() {}

  static void holding(Path target, Runnable replacement) {
    Path real;
    try {
      real = AtomicFiles.resolve(target); // one name for all that lead to the folder
    } catch (IOException e) {
      replacement.run(); // which says what is wrong with the name
      return;
    }
    ReentrantLock lock = STRIPES[Math.floorMod(real.hashCode(), STRIPES.length)];
    lock.lock();
    try {
      ProcessLock processes = ProcessLock.acquire(real, MOST);
      try {
        replacement.run();
      } finally {
        processes.close();
      }
    } finally {
      lock.unlock();
    }
  }
}
