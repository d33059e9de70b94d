package dev.crema.bench;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** JVMs of their own, each with an engine's environment. */
final class Child {
  private static final int TIMEOUT_SECONDS = 300;
  private static final int LAST_LINES = 5;

  private Child() {}

  /** Where a child writes its result. */
  interface Reader<T> {
    T read(Path result) throws IOException;
  }

  /**
   * Runs a main class with this JVM's class path and waits for its end.
   *
   * @param options of the JVM
   * @param arguments of the class; behind them it gets the name of an empty file for its result
   * @throws CremaException with what it said if it fails or takes too long
   */
  static <T> T run(
      Engine engine,
      int threads,
      List<String> options,
      Class<?> main,
      List<String> arguments,
      Reader<T> reader) {
    try {
      Path result = Files.createTempFile("crema-bench", ".result");
      Path log = Files.createTempFile("crema-bench", ".log");
      try {
        List<String> command = command(options, main, arguments);
        command.add(result.toString());
        int exit = wait(start(engine, threads, command, log));
        if (exit != 0 || Files.size(result) == 0) {
          String said = new String(Files.readAllBytes(log), StandardCharsets.UTF_8);
          throw new CremaException(failure(said.lines().toList(), exit));
        }
        return reader.read(result);
      } finally {
        Files.deleteIfExists(result);
        Files.deleteIfExists(log);
      }
    } catch (IOException e) {
      throw new CremaException("Can't run a benchmark: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    }
  }

  private static int wait(Process process) throws InterruptedException {
    if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      throw new CremaException("no result within " + TIMEOUT_SECONDS + " s");
    }
    return process.exitValue();
  }

  private static List<String> command(List<String> options, Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(arguments);
    return command;
  }

  private static Process start(Engine engine, int threads, List<String> command, Path log)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    Map<String, String> environment = builder.environment();
    environment.put("OMP_NUM_THREADS", Integer.toString(threads)); // most peers' pools
    engine
        .environment()
        .forEach(
            (name, value) -> {
              if (value.isEmpty()) {
                environment.remove(name);
              } else {
                environment.put(name, value);
              }
            });
    return builder.start();
  }

  /**
   * The exception behind all others, or the last lines of what the process said. JMH keeps what a
   * benchmark threw as a suppressed exception of its own.
   */
  static String failure(List<String> said, int exit) {
    List<String> lines = said.stream().filter(l -> !l.isBlank()).toList();
    for (int i = lines.size() - 1; i >= 0; i--) {
      String line = lines.get(i).strip();
      if (line.contains("Exception: ") || line.contains("Error: ")) {
        return line.replaceFirst(
            "^(Exception in thread \"[^\"]*\"|Caused by:|Suppressed:)\\s*", "");
      }
    }
    List<String> last = lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
    return "exit code " + exit + ": " + String.join(" | ", last);
  }
}
