package dev.crema.device.cuda.calls;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Finds NVIDIA's libraries in folders, the first that has one; or on the class path, in the jar of
 * redistributable libraries.
 *
 * @param onClassPath whether the class path has a library of that name
 */
public record LibraryFiles(List<Path> folders, Predicate<String> onClassPath) {
  private static final String JAR_FOLDER = "/org/bytedeco/cuda/linux-x86_64/";
  private static final String VERSION = ".so.";
  private static final Set<String> OF_DRIVER = Set.of("libcuda.so.1", "libnvidia-ml.so.1");

  public LibraryFiles {
    folders = List.copyOf(folders);
    Objects.requireNonNull(onClassPath, "onClassPath");
  }

  /** Of this machine, as its environment says. */
  public static LibraryFiles ofMachine() {
    return new LibraryFiles(
        LibraryFolders.of(System.getenv(), System.getProperty("user.home"), Path.of("/")),
        name -> LibraryFiles.class.getResource(JAR_FOLDER + name) != null);
  }

  /** The file of that name; null if there is none in the folders. */
  public Path find(String name) {
    return folders.stream()
        .map(folder -> folder.resolve(name))
        .filter(Files::isRegularFile)
        .findFirst()
        .orElse(null);
  }

  /**
   * Files of the folder of that library whose names begin so, in order; none if it is not found.
   */
  public List<Path> beside(String name, String start) {
    Path file = find(name);
    if (file == null) {
      return List.of();
    }
    return startingWith(start, file.getParent());
  }

  private static List<Path> startingWith(String start, Path folder) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, start + "*")) {
      List<Path> found = new ArrayList<>();
      files.forEach(found::add);
      found.sort(null);
      return found;
    } catch (IOException e) {
      return List.of(); // what cannot be read has nothing for us
    }
  }

  /**
   * As {@link #find}; null means that the class path has it.
   *
   * @throws CremaException saying where it was looked for
   */
  public Path require(String name) {
    Path file = find(name);
    if (file == null && !onClassPath.test(name)) {
      throw new CremaException(
          name
              + " was not found in "
              + folders
              + "."
              + otherVersion(name)
              + (OF_DRIVER.contains(name)
                  ? " It comes with NVIDIA's driver, 580 or newer, into a container from its host"
                      + " (docker run --gpus all)."
                  : " Install it (CUDA 13 and cuDNN 9, by the system's packages or by pip), or name"
                      + " its folder in the environment variable CREMA_CUDA_PATH."));
    }
    return file;
  }

  /** That there is a library of that name for another version of CUDA; empty if there is none. */
  private String otherVersion(String name) {
    int version = name.indexOf(VERSION) + VERSION.length();
    String wanted = name.substring(version);
    for (Path folder : folders) {
      for (Path file : startingWith(name.substring(0, version), folder)) {
        String major = file.getFileName().toString().substring(version).split("\\.", 2)[0];
        if (!major.equals(wanted) && major.matches("\\d{1,4}")) {
          boolean isOld = Integer.parseInt(major) < Integer.parseInt(wanted);
          return " " + file + " is too " + (isOld ? "old." : "new.");
        }
      }
    }
    return "";
  }
}
