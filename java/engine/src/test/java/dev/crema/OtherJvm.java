package dev.crema;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A JVM of its own with this one's class path: for what one process cannot show. */
public final class OtherJvm implements AutoCloseable {
  private final Process process;

  private OtherJvm(Process process) {
    this.process = process;
  }

  /** Starts {@code main}; its output and its errors come together in {@link #finish}. */
  public static OtherJvm start(List<String> options, Class<?> main, Object... arguments)
      throws IOException {
    return startUnder(List.of(), options, main, arguments);
  }

  /** The same, started by a command that takes the JVM's as its last arguments. */
  public static OtherJvm startUnder(
      List<String> starter, List<String> options, Class<?> main, Object... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(starter);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:-UsePerfData", "-XX:+UseSerialGC"));
    command.addAll(options);
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(main.getName());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return new OtherJvm(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Ends it as a crash would. */
  public void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /**
   * Waits for its end and returns what it printed.
   *
   * @throws AssertionError with that text if it failed
   */
  public String finish() throws IOException, InterruptedException {
    String text = new String(process.getInputStream().readAllBytes());
    int status = process.waitFor();
    if (status != 0) {
      throw new AssertionError("The other JVM ended with status " + status + ":\n" + text);
    }
    return text;
  }

  /** Ends it, if it has not ended. */
  @Override
  public void close() {
    process.destroyForcibly();
  }
}
