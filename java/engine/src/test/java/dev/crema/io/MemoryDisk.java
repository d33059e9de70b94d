package dev.crema.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/**
 * A folder in memory, where this system has such: forcing files to a disk takes so long that two
 * writers hardly ever meet.
 */
final class MemoryDisk implements TempDirFactory {
  private static final Path LINUX = Path.of("/dev/shm");

  @Override
  public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context)
      throws IOException {
    return Files.isWritable(LINUX)
        ? Files.createTempDirectory(LINUX, "crema-test")
        : Files.createTempDirectory("crema-test");
  }
}
