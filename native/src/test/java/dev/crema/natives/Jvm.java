package dev.crema.natives;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A JVM of its own that runs {@link Probe}: it starts, waits for {@link #go}, and says what
 * happened. It is killed {@value #MINUTES} minutes after it started, so no wait for it is longer.
 */
final class Jvm {
  private static final int MINUTES = 5;

  /** Options from here would change what a JVM does and print a line before its first. */
  private static final Set<String> JVM_OPTIONS =
      Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

  private final Process process;
  private final BufferedReader output;

  private Jvm(Process process) {
    this.process = process;
    this.output = process.inputReader();
    CompletableFuture.delayedExecutor(MINUTES, TimeUnit.MINUTES).execute(process::destroyForcibly);
  }

  /** What is set for the JVM; nothing of this one's settings is inherited. */
  static final class Setup {
    private final List<String> prefix = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private final Map<String, String> variables = new TreeMap<>();

    Setup property(String name, Object value) {
      options.add("-D" + name + "=" + value);
      return this;
    }

    Setup variable(String name, String value) {
      variables.put(name, value);
      return this;
    }

    /** Runs it in a shell that first does this. */
    Setup after(String shellCommand) {
      prefix.addAll(List.of("sh", "-c", shellCommand + " && exec \"$@\"", "sh"));
      return this;
    }

    Jvm start(String what) {
      List<String> command = new ArrayList<>(prefix);
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-Xmx64m"));
      command.addAll(options);
      command.add("-cp");
      command.add(
          System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
      command.add(Probe.class.getName());
      command.add(what);
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().keySet().removeIf(name -> name.startsWith("CREMA_"));
      builder.environment().keySet().removeAll(JVM_OPTIONS);
      builder.environment().remove("OPENBLAS_CORETYPE");
      builder.environment().putAll(variables);
      try {
        Jvm jvm = new Jvm(builder.start());
        String first = jvm.output.readLine();
        if (!"ready".equals(first)) {
          jvm.process.destroy(); // it may wait for go
          throw new IllegalStateException("The JVM did not start: " + first + "\n" + jvm.rest());
        }
        return jvm;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Starts it, lets it go and returns its output. */
    String run(String what) {
      return start(what).go().finish();
    }
  }

  Jvm go() {
    try (OutputStream in = process.getOutputStream()) {
      in.write('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** All it printed, with its exit status in the last line. */
  String finish() {
    try {
      String text = rest();
      return text + "\nexit " + process.waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private String rest() {
    return output.lines().collect(Collectors.joining("\n"));
  }
}
