package dev.crema.io;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets one thread of this process at a time replace a folder: whoever looks at what must be kept of
 * the old one must be the one who replaces it. Between processes the renames alone keep readers
 * safe.
 */
final class WriterLocks {
  private static final ReentrantLock[] STRIPES = new ReentrantLock[64];

  static {
    Arrays.setAll(STRIPES, i -> new ReentrantLock());
  }

  private WriterLocks() {}

  static void holding(Path target, Runnable replacement) {
    Path name = target.toAbsolutePath().normalize();
    ReentrantLock lock = STRIPES[Math.floorMod(name.hashCode(), STRIPES.length)];
    lock.lock();
    try {
      replacement.run();
    } finally {
      lock.unlock();
    }
  }
}
