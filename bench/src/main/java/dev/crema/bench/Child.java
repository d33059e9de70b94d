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

/** A JVM of its own with an engine's environment. */
final class Child implements AutoCloseable {
  static final int TIMEOUT_SECONDS = 300;
  private static final int LAST_LINES = 5;

  private final Path result;
  private final Path log;
  private final Process process;

  private Child(Path result, Path log, Process process) {
    this.result = result;
    this.log = log;
    this.process = process;
  }

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
    try (Child child = start(engine, threads, options, main, arguments)) {
      return child.end(reader);
    }
  }

  /** Starts what {@link #run} runs. The caller closes it, which ends it if it goes on. */
  static Child start(
      Engine engine, int threads, List<String> options, Class<?> main, List<String> arguments) {
    try {
      Path result = Files.createTempFile("crema-bench", ".result");
      Path log = Files.createTempFile("crema-bench", ".log");
      List<String> command = command(options, main, arguments);
      command.add(result.toString());
      return new Child(result, log, start(engine, threads, command, log));
    } catch (IOException e) {
      throw new CremaException("Can't run a benchmark: " + e.getMessage(), e);
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /**
   * Waits for its end and reads its result.
   *
   * @throws CremaException with what it said if it fails or takes too long
   */
  <T> T end(Reader<T> reader) {
    try {
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        throw new CremaException("no result within " + TIMEOUT_SECONDS + " s");
      }
      if (process.exitValue() != 0 || Files.size(result) == 0) {
        String said = new String(Files.readAllBytes(log), StandardCharsets.UTF_8);
        throw new CremaException(failure(said.lines().toList(), process.exitValue()));
      }
      return reader.read(result);
    } catch (IOException e) {
      throw new CremaException("Can't run a benchmark: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
      Files.deleteIfExists(result);
      Files.deleteIfExists(log);
    } catch (IOException e) {
      throw new CremaException("Can't delete a benchmark's files: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
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
