package dev.crema.serving.repository;

import dev.crema.io.AtomicFolders;
import dev.crema.io.ModelArchive;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of all models: {@code NAME/VERSION/} or {@code NAME/VERSION.zip}. Names from requests
 * never become paths: they are looked up among those found here. What links lead out of the folder
 * is not read.
 */
final class RepositoryFolder {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  private static final Pattern VERSION = Pattern.compile("([0-9]{1,18})(\\.zip)?");
  private static final String ZIP = ".zip";

  private static final Logger LOG = LoggerFactory.getLogger(RepositoryFolder.class);

  private final Path root;
  private final Set<Path> told = ConcurrentHashMap.newKeySet(); // of which a warning was given

  RepositoryFolder(Path root) {
    this.root = root;
  }

  /**
   * The models there are, by name.
   *
   * @throws IOException if the folder can't be read
   */
  Map<String, Path> models() throws IOException {
    Map<String, Path> models = new TreeMap<>();
    Path real = root.toRealPath();
    for (Path path : list(real)) {
      String name = path.getFileName().toString();
      boolean inside = Files.isDirectory(path) && isInside(real, path);
      if (inside && NAME.matcher(name).matches()) {
        models.put(name, path);
      } else if (inside && told.add(path)) {
        LOG.warn(
            "{} is not served: a model's name has the letters A to Z and a to z, digits, '.', '_'"
                + " and '-', 128 at most, and begins with a letter or a digit",
            path);
      }
    }
    return models;
  }

  /**
   * The versions in a model's folder; none if that is gone. A version that can't be read has that
   * for its problem: the others go on.
   *
   * @throws IOException if the folder can't be read
   */
  Map<Long, VersionFiles> versions(Path model) throws IOException {
    Map<Long, List<Path>> found = new TreeMap<>();
    Path real = root.toRealPath();
    List<Path> paths;
    try {
      paths = list(model);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return Map.of();
    }
    for (Path path : paths) {
      var matcher = VERSION.matcher(path.getFileName().toString());
      if (matcher.matches() && (matcher.group(2) == null) == Files.isDirectory(path)) {
        long version = Long.parseLong(matcher.group(1));
        found.computeIfAbsent(version, v -> new ArrayList<>()).add(path);
      }
    }
    Map<Long, VersionFiles> versions = new TreeMap<>();
    for (Map.Entry<Long, List<Path>> e : found.entrySet()) {
      versions.put(e.getKey(), readable(real, e.getKey(), e.getValue()));
    }
    return versions;
  }

  private static VersionFiles readable(Path real, long version, List<Path> paths) {
    try {
      return files(real, version, paths);
    } catch (IOException e) {
      Path path = paths.get(0);
      return new VersionFiles(version, path, null, "unreadable", path + " can't be read: " + e);
    }
  }

  /**
   * Whether a version that is not listed is only being replaced this moment: its writer has set the
   * old one aside and not yet put the new one there.
   */
  static boolean isBeingReplaced(Path place) {
    return !AtomicFolders.current(place).equals(place) || Files.exists(place);
  }

  private static VersionFiles files(Path real, long version, List<Path> paths) throws IOException {
    Path path = paths.get(0);
    if (paths.size() > 1) {
      List<String> names = paths.stream().map(p -> p.getFileName().toString()).toList();
      String stamp = String.join(",", names);
      return new VersionFiles(
          version,
          path,
          null,
          stamp,
          "Version " + version + " stands there twice: " + names + ". Remove one of them.");
    }
    if (!isInside(real, path)) {
      return new VersionFiles(version, path, null, "link", outside(path));
    }
    if (!Files.isDirectory(path)) {
      Path signature = path.resolveSibling(path.getFileName() + SignedModels.SUFFIX);
      return new VersionFiles(
          version, path, null, stamp(path) + (Files.exists(signature) ? stamp(signature) : ""), "");
    }
    return folder(real, version, path);
  }

  private static VersionFiles folder(Path real, long version, Path path) throws IOException {
    StringBuilder stamp = new StringBuilder();
    String problem = "";
    List<Path> zips = new ArrayList<>();
    try {
      for (Path file : list(path)) {
        boolean leadsNowhere = Files.isSymbolicLink(file) && !Files.exists(file);
        stamp.append(leadsNowhere ? file.getFileName() + "|nowhere\n" : stamp(file));
        if (leadsNowhere || !isInside(real, file)) {
          problem = outside(file);
        }
        if (file.getFileName().toString().endsWith(ZIP)) {
          zips.add(file);
        }
      }
    } catch (NoSuchFileException e) { // replaced this moment: seen whole the next time
      stamp.append("replaced");
    }
    boolean zipped = zips.size() == 1 && !Files.exists(path.resolve(ModelArchive.CHECKSUMS));
    return new VersionFiles(version, zipped ? zips.get(0) : path, path, stamp.toString(), problem);
  }

  private static String outside(Path path) {
    return path + " leads out of the folder of models and is not read";
  }

  private static boolean isInside(Path real, Path path) throws IOException {
    try {
      return path.toRealPath().startsWith(real);
    } catch (NoSuchFileException e) {
      return false; // a link to nothing
    }
  }

  private static String stamp(Path file) throws IOException {
    var a = Files.readAttributes(file, BasicFileAttributes.class);
    return file.getFileName()
        + "|"
        + a.size()
        + "|"
        + a.lastModifiedTime().to(java.util.concurrent.TimeUnit.NANOSECONDS)
        + "|"
        + a.fileKey()
        + "\n";
  }

  /** Sorted; without hidden ones, among which are those being written. */
  private static List<Path> list(Path folder) throws IOException {
    TreeSet<Path> paths = new TreeSet<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      for (Path path : stream) {
        if (!path.getFileName().toString().startsWith(".")) {
          paths.add(path);
        }
      }
    } catch (java.nio.file.DirectoryIteratorException e) {
      throw e.getCause();
    }
    return List.copyOf(paths);
  }
}
