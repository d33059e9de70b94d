package dev.crema.io;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A saved model: a folder, or one {@code .zip} with the same files. {@code model.json} is the
 * topology, {@code model.safetensors} the tensors, {@code checksums.json} the SHA-256 sums of all
 * other files; more files may stand beside them.
 *
 * <p>Opening reads every file that {@code checksums.json} lists and compares its sum, so whatever
 * an open archive hands out is what was saved. It keeps the files open: a writer that replaces the
 * archive does not disturb its readers. Files that are not listed are ignored. Thread-safe, within
 * the limits of {@link Safetensors}.
 */
public final class ModelArchive implements AutoCloseable {
  public static final String MODEL = "model.json";
  public static final String TENSORS = "model.safetensors";
  public static final String CHECKSUMS = "checksums.json";

  private final Path path;
  private final Checksums checksums;
  private final Map<String, ArchiveEntry> entries;
  private final List<Closeable> open;

  /** Owns {@code open}. */
  ModelArchive(
      Path path, Checksums checksums, Map<String, ArchiveEntry> entries, List<Closeable> open) {
    this.path = path;
    this.checksums = checksums;
    this.entries = entries;
    this.open = new ArrayList<>(open);
  }

  /**
   * Writes an archive atomically: a zip if the name ends in {@code .zip}, else a folder. A reader
   * sees the old archive or the new one, whole. In a folder that is replaced, files that are not
   * the old model's are kept.
   *
   * @param files name → content, in the order in which to write them. A name is made of letters,
   *     digits, {@code . _ -}, begins with no dot and is not {@code checksums.json}
   * @throws CremaException if a name is not allowed, if {@code target} holds something other than a
   *     model, or if the file system refuses; the old archive is then unchanged
   */
  public static void write(Path target, Map<String, Content> files) {
    ArchiveWriter.write(target, files);
  }

  /**
   * Throws now what {@link #write} would throw later because of what stands at {@code target}: ask
   * before hours of training.
   */
  public static void requireReplaceable(Path target) {
    ArchiveWriter.requireReplaceable(target);
  }

  /**
   * Opens an archive and verifies it; the caller closes it.
   *
   * @throws CremaException naming the file that is missing, damaged or not what its sum says
   */
  public static ModelArchive open(Path path) {
    return ArchiveReader.open(path);
  }

  /** The names of all verified files, sorted; without {@code checksums.json}. Immutable. */
  public Set<String> names() {
    return entries.keySet();
  }

  /** The sums that all files were found to have. */
  public Checksums checksums() {
    return checksums;
  }

  /** Where it was opened. */
  public Path path() {
    return path;
  }

  /**
   * A file from its first byte; the caller closes it.
   *
   * @throws CremaException if there is none of that name
   */
  public InputStream stream(String name) {
    return entry(name).stream();
  }

  /**
   * A JSON file.
   *
   * @throws CremaException naming file, line and column
   */
  public JsonNode json(String name) {
    return json(name, JsonNode.class);
  }

  /** A JSON file as a type that Jackson can build; see {@link Json#read(Path, Class)}. */
  public <T> T json(String name, Class<T> type) {
    ArchiveEntry entry = entry(name);
    return Json.read(entry.stream(), entry.where(), type);
  }

  /** The tensors in {@code model.safetensors}; see {@link #tensors(String)}. */
  public Safetensors tensors() {
    return tensors(TENSORS);
  }

  /**
   * The tensors in a file, read and mapped where they lie, in a zip too. Only if someone repacked
   * the zip with compression they are unpacked to a temporary file. Valid until this archive is
   * closed.
   *
   * @throws CremaException if there is no such file or it is not a safetensors file
   */
  public Safetensors tensors(String name) {
    ArchiveEntry entry = entry(name);
    try {
      FileRange range = entry.range();
      if (entry.deflated()) {
        synchronized (open) {
          open.add(range);
        }
      }
      return Safetensors.of(range, entry.where());
    } catch (IOException e) {
      throw new CremaException("Cannot read " + entry.where() + ": " + FileErrors.reason(e), e);
    }
  }

  /** Closes all files; a second time does nothing. Views of tensors stay valid. */
  @Override
  public void close() {
    synchronized (open) {
      closeAll(open);
      open.clear();
    }
  }

  static void closeAll(List<Closeable> files) {
    for (Closeable file : files) {
      try {
        file.close();
      } catch (IOException e) {
        continue; // files that were only read have nothing to lose
      }
    }
  }

  private ArchiveEntry entry(String name) {
    ArchiveEntry entry = entries.get(name);
    if (entry == null) {
      throw new CremaException(
          "Model " + path + " has no file '" + name + "'; it has " + names(),
          new NoSuchFileException(name));
    }
    return entry;
  }
}
