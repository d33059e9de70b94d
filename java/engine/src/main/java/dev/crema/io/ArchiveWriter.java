package dev.crema.io;

import dev.crema.CremaException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Writes model folders and zips. */
final class ArchiveWriter {
  /** Valid on every file system, and never a way out of the folder. */
  static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}");

  private ArchiveWriter() {}

  static void write(Path target, Map<String, Content> files) {
    write(target, files, UnaryOperator.identity());
  }

  /**
   * @param through put between each file and the disk; tests make it fail
   */
  static void write(
      Path target, Map<String, Content> files, UnaryOperator<SeekableByteChannel> through) {
    checkNames(files.keySet());
    if (isZip(target)) {
      requireReplaceable(target);
      AtomicFiles.write(target, size(files), out -> zip(out, files), through);
      return;
    }
    WriterLocks.holding(
        target,
        () -> {
          requireReplaceable(target);
          AtomicFolders.write(target, folder -> fill(folder, target, files, through));
        });
  }

  static boolean isZip(Path path) {
    Path name = path.getFileName();
    return name != null && name.toString().toLowerCase(Locale.ROOT).endsWith(".zip");
  }

  static void requireReplaceable(Path target) {
    requireWritableParent(target);
    if (isZip(target)) {
      if (Files.isDirectory(target)) {
        throw new CremaException(
            "Cannot save a model as " + target + ": there is a folder of that name.");
      }
      return;
    }
    if (Files.isRegularFile(target)) { // one look: another writer may swap it between two
      throw new CremaException(
          "Cannot save a model in " + target + ": it is a file. Name a folder or a .zip.");
    }
    if (Files.isDirectory(target) && holdsWorkingFolder(target)) {
      throw new CremaException(
          "Cannot save a model in "
              + target
              + ": it is or holds the working folder, which a save would pull from under you."
              + " Name a folder inside it.");
    }
    AtomicFolders.read(target, ArchiveWriter::foreign);
  }

  /** What stands nearest above the target, in which folders that are missing would be made. */
  private static void requireWritableParent(Path target) {
    Path parent = target.toAbsolutePath().normalize().getParent();
    while (parent != null && !Files.exists(parent)) {
      parent = parent.getParent();
    }
    if (parent != null && !Files.isDirectory(parent)) {
      throw new CremaException(
          "Cannot save a model in " + target + ": " + parent + " is a file, not a folder.");
    }
    if (parent != null && !Files.isWritable(parent)) {
      throw new CremaException(
          "Cannot save a model in "
              + target
              + ": the folder "
              + parent
              + " can't be written. Make it writable or choose another.");
    }
  }

  private static boolean holdsWorkingFolder(Path folder) {
    try {
      return Path.of("").toRealPath().startsWith(folder.toRealPath());
    } catch (IOException e) {
      throw FileErrors.cannotRead(folder, e);
    }
  }

  private static void checkNames(Set<String> names) {
    if (names.size() >= ZipReader.MAX_ENTRIES) {
      throw new CremaException(
          "A model has fewer than " + ZipReader.MAX_ENTRIES + " files, got " + names.size());
    }
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!NAME.matcher(name).matches()
          || name.equalsIgnoreCase(ModelArchive.CHECKSUMS)
          || !seen.add(name.toLowerCase(Locale.ROOT))) {
        throw new CremaException(
            "'"
                + name
                + "' cannot be a file of a model: expected letters, digits, '.', '_' and '-', no"
                + " dot first, each name once whatever its case, and not "
                + ModelArchive.CHECKSUMS);
      }
    }
  }

  private static void zip(SeekableByteChannel out, Map<String, Content> files) throws IOException {
    var zip = new ZipWriter(out);
    Map<String, String> sums = new TreeMap<>();
    for (Map.Entry<String, Content> file : files.entrySet()) {
      sums.put(file.getKey(), zip.add(file.getKey(), file.getValue()));
    }
    zip.add(ModelArchive.CHECKSUMS, Content.of(Json.bytes(new Checksums(sums).toJson())));
    zip.finish();
  }

  private static void fill(
      Path folder,
      Path target,
      Map<String, Content> files,
      UnaryOperator<SeekableByteChannel> through)
      throws IOException {
    Map<String, String> sums = new TreeMap<>();
    for (Map.Entry<String, Content> file : files.entrySet()) {
      String name = file.getKey();
      Content content = file.getValue();
      try {
        AtomicFiles.writeNew(
            folder.resolve(name),
            out -> {
              var summing = new SummingChannel(out);
              content.writeTo(summing);
              sums.put(name, summing.sha256());
            },
            through);
      } catch (IOException e) {
        Temporaries.delete(folder);
        throw FileErrors.cannotWrite(target.resolve(name), size(files), e);
      }
    }
    byte[] json = Json.bytes(new Checksums(sums).toJson());
    AtomicFiles.writeNew(
        folder.resolve(ModelArchive.CHECKSUMS), Content.of(json)::writeTo, through);
    AtomicFolders.read(target, old -> bringForeign(target, old, folder));
  }

  /**
   * What users put into a model folder. Refuses a folder that holds something and no model: a save
   * must not take it away.
   */
  private static List<Path> foreign(Path folder) {
    List<Path> all;
    try (Stream<Path> files = Files.list(folder)) {
      all = files.toList();
    } catch (IOException e) {
      throw FileErrors.cannotRead(folder, e);
    } catch (UncheckedIOException e) {
      throw FileErrors.cannotRead(folder, e.getCause());
    }
    if (all.isEmpty()) {
      return all;
    }
    Path checksums = folder.resolve(ModelArchive.CHECKSUMS);
    if (!Files.isRegularFile(checksums)) {
      throw new CremaException(
          "Cannot save a model in "
              + folder
              + ": the folder holds other files and no model. Name a new or empty folder.");
    }
    Set<String> model =
        new HashSet<>(Checksums.parse(Json.read(checksums), checksums.toString()).sums().keySet());
    model.add(ModelArchive.CHECKSUMS);
    return all.stream().filter(p -> !model.contains(p.getFileName().toString())).toList();
  }

  /** Brings along what users added: linked, so that open files go on growing. */
  private static int bringForeign(Path target, Path old, Path folder) {
    List<Path> foreign = foreign(old);
    for (Path top : foreign) {
      try (Stream<Path> tree = Files.walk(top)) {
        for (Path from : (Iterable<Path>) tree::iterator) {
          Path to = folder.resolve(old.relativize(from).toString());
          if (!Files.exists(to, LinkOption.NOFOLLOW_LINKS)) {
            bring(from, to);
          }
        }
      } catch (IOException e) {
        throw FileErrors.cannotWrite(folder.resolve(top.getFileName()), -1, e);
      } catch (UncheckedIOException e) {
        throw FileErrors.cannotRead(top, e.getCause());
      }
    }
    if (!AtomicFolders.current(target).equals(old)) {
      // It may have been listed while its writer was deleting it; read() now asks again.
      throw new CremaException("Model " + target + " was replaced while it was being replaced");
    }
    return foreign.size();
  }

  private static void bring(Path from, Path to) throws IOException {
    if (Files.isDirectory(from, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectory(to);
      return;
    }
    if (Files.isRegularFile(from, LinkOption.NOFOLLOW_LINKS)) {
      try {
        Files.createLink(to, from);
        return;
      } catch (IOException | UnsupportedOperationException e) {
        Files.deleteIfExists(to); // this file system has no hard links
      }
    }
    Files.copy(from, to, LinkOption.NOFOLLOW_LINKS, StandardCopyOption.COPY_ATTRIBUTES);
  }

  private static long size(Map<String, Content> files) {
    long sum = 0;
    for (Content content : files.values()) {
      if (content.size() < 0) {
        return -1;
      }
      sum += content.size();
    }
    return sum;
  }
}
