package dev.crema.bench.serving;

import dev.crema.CremaException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Commands of {@code crema}, as processes of their own with the class path of the product. */
public final class CommandLineJar {
  private static final String MAIN = "dev.crema.cli.Main";

  private CommandLineJar() {}

  /** What starts {@code crema ARGUMENTS}. */
  static List<String> command(List<String> options, String... arguments) {
    return java(options, module("java/cli", "crema-cli"), MAIN, arguments);
  }

  /** What starts a main class with the jar of a module and what it depends on. */
  public static List<String> java(
      List<String> options, Path jar, String main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.add("-cp");
    command.add(jar + ":" + jar.resolveSibling("lib") + "/*");
    command.add(main);
    command.addAll(List.of(arguments));
    return command;
  }

  /**
   * The jar of a module of this build.
   *
   * @throws CremaException if it is not built
   */
  public static Path module(String folder, String artifact) {
    try {
      Path here =
          Path.of(CommandLineJar.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      // bench/target/crema-bench-….jar, or bench/target/classes
      Path home = here.toAbsolutePath().getParent().getParent().getParent();
      Path jar = home.resolve(folder).resolve("target").resolve(artifact + "-0.1.0-SNAPSHOT.jar");
      if (!Files.isRegularFile(jar)) {
        throw new CremaException(
            jar + " is not built; `./crema bench serving` builds it before it measures");
      }
      return jar;
    } catch (URISyntaxException e) {
      throw new CremaException("Can't find where the benchmarks are: " + e.getMessage(), e);
    }
  }
}
