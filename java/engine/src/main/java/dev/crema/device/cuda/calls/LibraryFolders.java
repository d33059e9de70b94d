package dev.crema.device.cuda.calls;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The folders in which NVIDIA's libraries may lie: those that CREMA_CUDA_PATH names, the loader's,
 * the CUDA toolkit's, and those of pip's wheels ({@code site-packages/nvidia/<part>/lib}) of the
 * virtual or conda environment, of the python3 on the path and of the user. No process is started.
 */
public final class LibraryFolders {
  private static final List<String> OF_SYSTEM =
      List.of(
          "usr/lib/x86_64-linux-gnu",
          "usr/lib64",
          "usr/lib",
          "lib64",
          "usr/lib/wsl/lib",
          "usr/local/nvidia/lib64",
          "usr/local/nvidia/lib",
          "usr/local/lib",
          "usr/local/cuda/lib64",
          "usr/local/cuda/targets/x86_64-linux/lib");

  private LibraryFolders() {}

  /**
   * Those that exist, in order.
   *
   * @param environment as {@link System#getenv()}
   * @param home the user's folder; may be null
   * @param root of the file system
   */
  public static List<Path> of(Map<String, String> environment, String home, Path root) {
    Set<Path> folders = new LinkedHashSet<>();
    for (Path named : paths(environment.get("CREMA_CUDA_PATH"))) {
      folders.add(named);
      addToolkit(folders, named);
      addWheels(folders, named);
    }
    folders.addAll(paths(environment.get("LD_LIBRARY_PATH")));
    OF_SYSTEM.forEach(folder -> folders.add(root.resolve(folder)));
    folders.addAll(ofLoader(root.resolve("etc/ld.so.conf.d")));
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      paths(environment.get(variable)).forEach(toolkit -> addToolkit(folders, toolkit));
    }
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      for (Path prefix : paths(environment.get(variable))) {
        addPython(folders, prefix);
        folders.add(prefix.resolve("lib"));
      }
    }
    for (Path bin : paths(environment.get("PATH"))) {
      if (Files.isExecutable(bin.resolve("python3"))) {
        addPython(folders, bin.resolve("..").normalize());
        addPython(folders, real(bin.resolve("python3")).resolve("../..").normalize());
        break;
      }
    }
    if (home != null && !home.isEmpty()) {
      addPython(folders, Path.of(home, ".local"));
    }
    return folders.stream().filter(Files::isDirectory).toList();
  }

  private static List<Path> paths(String list) {
    List<Path> paths = new ArrayList<>();
    if (list != null) {
      for (String one : list.split(File.pathSeparator, -1)) {
        try {
          if (!one.isBlank()) {
            paths.add(Path.of(one.trim()).toAbsolutePath().normalize());
          }
        } catch (InvalidPathException e) {
          continue; // not a folder of this system
        }
      }
    }
    return paths;
  }

  private static void addToolkit(Set<Path> folders, Path toolkit) {
    folders.add(toolkit.resolve("lib64"));
    folders.add(toolkit.resolve("lib"));
    folders.add(toolkit.resolve("targets/x86_64-linux/lib"));
  }

  /** What lies below {@code prefix/lib/python3.x}. */
  private static void addPython(Set<Path> folders, Path prefix) {
    for (Path version : list(prefix.resolve("lib"), "python3*")) {
      addWheels(folders, version.resolve("site-packages"));
      addWheels(folders, version.resolve("dist-packages"));
    }
  }

  private static void addWheels(Set<Path> folders, Path packages) {
    for (Path part : list(packages.resolve("nvidia"), "*")) {
      folders.add(part.resolve("lib"));
    }
  }

  private static List<Path> list(Path folder, String glob) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, glob)) {
      entries.forEach(found::add);
    } catch (IOException e) {
      return List.of(); // a folder that cannot be read has nothing for us
    }
    found.sort(null);
    return found;
  }

  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file;
    }
  }

  /** What the system's loader is told to look through. */
  private static List<Path> ofLoader(Path configuration) {
    List<Path> folders = new ArrayList<>();
    for (Path file : list(configuration, "*.conf")) {
      try {
        for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
          if (line.startsWith("/")) {
            folders.addAll(paths(line));
          }
        }
      } catch (IOException | UncheckedIOException e) {
        continue; // not for us to read
      }
    }
    return folders;
  }
}
