package dev.crema.io;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** What the file system refused, in words that say what to do. */
final class FileErrors {
  private FileErrors() {}

  static CremaException cannotRead(Path file, IOException e) {
    return new CremaException("Cannot read " + file + ": " + reason(e), e);
  }

  /**
   * Call it when the temporary is gone, so that the free space is what a second try would find.
   *
   * @param bytes bytes that were to be written, or −1 if unknown
   */
  static CremaException cannotWrite(Path target, long bytes, IOException e) {
    StringBuilder s = new StringBuilder("Cannot write ").append(target).append(": ");
    s.append(reason(e)).append(" (");
    if (bytes >= 0) {
      s.append("needs ").append(bytes).append(" bytes, ");
    }
    long free = freeSpace(target);
    s.append(free < 0 ? "free space unknown" : free + " bytes free").append("). ");
    s.append("What stood there before is unchanged. ");
    if (e instanceof AccessDeniedException) {
      s.append("Make the folder writable or choose another.");
    } else if (e instanceof ClosedByInterruptException) {
      s.append("Save on a thread that nobody interrupts.");
    } else {
      s.append("Free some space or choose another folder.");
    }
    return new CremaException(s.toString(), e);
  }

  static String reason(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "there is no such file";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NotDirectoryException) {
      return "not a folder";
    }
    if (e instanceof ClosedByInterruptException) {
      return "the thread was interrupted";
    }
    if (e instanceof ClosedChannelException) {
      return "it was closed (a thread that is interrupted while it reads closes the file too)";
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  private static long freeSpace(Path target) {
    for (Path p = target.toAbsolutePath(); p != null; p = p.getParent()) {
      if (Files.isDirectory(p)) {
        try {
          return Files.getFileStore(p).getUsableSpace();
        } catch (IOException e) {
          return -1;
        }
      }
    }
    return -1;
  }
}
