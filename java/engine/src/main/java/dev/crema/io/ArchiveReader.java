package dev.crema.io;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Opens model folders and zips and verifies them. */
final class ArchiveReader {
  /** Far more than a thousand sums. */
  private static final int MAX_CHECKSUMS = 1 << 20;

  private ArchiveReader() {}

  static ModelArchive open(Path path) {
    return AtomicFolders.read(
            path,
            real ->
                verified(
                    path,
                    real,
                    Files.isRegularFile(real) ? ArchiveReader::zip : ArchiveReader::folder))
        .orElseThrow(
            () ->
                new CremaException(
                    "There is no model at "
                        + path
                        + ": expected a folder or a .zip made by Crema."));
  }

  /** Finds the listed files; adds what it opens to {@code open}, whatever happens. */
  private interface Finder {
    Map<String, ArchiveEntry> find(Path shown, Path real, List<Closeable> open) throws IOException;
  }

  private static ModelArchive verified(Path shown, Path real, Finder finder) {
    List<Closeable> open = new ArrayList<>();
    boolean done = false;
    try {
      Map<String, ArchiveEntry> found = finder.find(shown, real, open);
      ArchiveEntry list = found.get(ModelArchive.CHECKSUMS);
      Checksums sums = checksums(list);
      Map<String, ArchiveEntry> entries = new TreeMap<>();
      for (String name : sums.sums().keySet()) {
        ArchiveEntry entry = found.get(name);
        if (entry == null) {
          throw missing(shown, name, null);
        }
        try (InputStream in = entry.stream()) {
          sums.verify(name, Checksums.sha256(in), entry.where());
        } catch (IOException e) {
          throw new CremaException("Cannot read " + entry.where() + ": " + FileErrors.reason(e), e);
        }
        entries.put(name, entry);
      }
      var archive = new ModelArchive(shown, sums, Collections.unmodifiableMap(entries), open);
      done = true;
      return archive;
    } catch (IOException e) {
      throw FileErrors.cannotRead(shown, e);
    } finally {
      if (!done) {
        ModelArchive.closeAll(open);
      }
    }
  }

  private static Map<String, ArchiveEntry> folder(Path shown, Path real, List<Closeable> open)
      throws IOException {
    Map<String, ArchiveEntry> found = new TreeMap<>();
    ArchiveEntry list = file(shown, real, ModelArchive.CHECKSUMS, open);
    found.put(ModelArchive.CHECKSUMS, list);
    // All are opened before any is verified: then a writer may take the folder away.
    for (String name : checksums(list).sums().keySet()) {
      found.put(name, file(shown, real, name, open));
    }
    return found;
  }

  private static ArchiveEntry file(Path shown, Path real, String name, List<Closeable> open)
      throws IOException {
    try {
      FileRange range = FileRange.open(real.resolve(name));
      open.add(range);
      return new ArchiveEntry(shown.resolve(name).toString(), range, false, range.size());
    } catch (NoSuchFileException e) {
      throw missing(shown, name, e);
    }
  }

  /** Packing a folder by its name puts all files into a folder of the zip: that is taken too. */
  private static Map<String, ArchiveEntry> zip(Path shown, Path real, List<Closeable> open)
      throws IOException {
    FileRange file = FileRange.open(real);
    open.add(file);
    Map<String, ArchiveEntry> all = ZipReader.entries(shown, file);
    if (all.containsKey(ModelArchive.CHECKSUMS)) {
      return all;
    }
    List<String> folders =
        all.keySet().stream()
            .filter(n -> n.endsWith("/" + ModelArchive.CHECKSUMS))
            .map(n -> n.substring(0, n.length() - ModelArchive.CHECKSUMS.length()))
            .filter(n -> !n.startsWith("__MACOSX/"))
            .toList();
    if (folders.size() != 1) {
      throw missing(shown, ModelArchive.CHECKSUMS, null);
    }
    Map<String, ArchiveEntry> inside = new TreeMap<>();
    all.forEach(
        (name, entry) -> {
          if (name.startsWith(folders.get(0))) {
            inside.put(name.substring(folders.get(0).length()), entry);
          }
        });
    return inside;
  }

  private static Checksums checksums(ArchiveEntry list) throws IOException {
    if (list.size() > MAX_CHECKSUMS) {
      throw new CremaException(
          list.where() + " has " + list.size() + " bytes; expected at most " + MAX_CHECKSUMS);
    }
    JsonNode json = Json.read(new ByteArrayInputStream(list.read()), list.where(), JsonNode.class);
    Checksums sums = Checksums.parse(json, list.where());
    for (String name : sums.sums().keySet()) {
      if (!ArchiveWriter.NAME.matcher(name).matches()) {
        throw new CremaException(
            list.where()
                + ": '"
                + SafetensorsHeader.shown(name)
                + "' is no name of a model's file");
      }
    }
    return sums;
  }

  private static CremaException missing(Path shown, String name, IOException cause) {
    return new CremaException(
        "Model " + shown + " lacks " + name + ". Copy it again from its source.", cause);
  }
}
