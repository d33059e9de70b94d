package dev.crema.natives;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * A folder for extracted libraries and the setting it comes from.
 *
 * @param shared whether other users can write beside it: then what is there must be ours
 */
record CachePlace(String origin, Path folder, boolean shared) {
  private static final int MODE_TYPE = 0170000;
  private static final int MODE_FOLDER = 0040000;
  private static final int MODE_OTHERS_WRITE = 0022;

  /** In order of preference. */
  static List<CachePlace> all() {
    List<CachePlace> places = new ArrayList<>();
    add(places, "system property crema.cache", System.getProperty("crema.cache"), false);
    add(places, "environment variable CREMA_CACHE", System.getenv("CREMA_CACHE"), false);
    String javacpp = "org.bytedeco.javacpp.cachedir";
    add(places, "system property " + javacpp, System.getProperty(javacpp), false);
    String home = System.getProperty("user.home");
    if (home != null && !home.isEmpty() && !home.equals("?")) {
      add(places, "user.home", home + "/.javacpp/cache", false);
    }
    String user = System.getProperty("user.name", "user").replaceAll("[^A-Za-z0-9._-]", "_");
    add(
        places,
        "java.io.tmpdir",
        System.getProperty("java.io.tmpdir", "/tmp") + "/crema-" + user,
        true);
    return places;
  }

  private static void add(List<CachePlace> places, String origin, String path, boolean shared) {
    if (path == null || path.isEmpty()) {
      return;
    }
    try {
      places.add(new CachePlace(origin, Path.of(path).toAbsolutePath(), shared));
    } catch (InvalidPathException e) {
      throw new UnsatisfiedLinkError(origin + " is not a path: " + e.getMessage());
    }
  }

  /** Refuses a folder in a place shared with others unless it is this user's alone. */
  void check(Path root) throws IOException {
    if (shared) {
      requireOwn(folder);
      requireOwn(root);
    }
  }

  /** Makes a folder that only this user can enter, unless it is there. */
  void create(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    Path parent = directory.getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      create(parent);
    }
    try {
      if (isPosix(directory)) {
        Files.createDirectory(
            directory,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } else {
        Files.createDirectory(directory);
      }
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) {
        throw e;
      }
    }
    check(directory);
  }

  private void requireOwn(Path directory) throws IOException {
    if (!isPosix(directory) || !Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    int mode = (Integer) Files.getAttribute(directory, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    Object uid = Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    String own = ownUid();
    if ((mode & MODE_TYPE) != MODE_FOLDER
        || (mode & MODE_OTHERS_WRITE) != 0
        || (own != null && !own.equals(uid.toString()))) {
      throw new IOException(
          directory + " is not a folder of this user that others cannot write: not used");
    }
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix");
  }

  /** The effective user id where the system says it, else null. */
  private static String ownUid() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return null;
    }
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith("Uid:")) {
        return line.split("\\s+")[2];
      }
    }
    return null;
  }
}
