package dev.crema.bench.serving;

import dev.crema.CremaException;
import dev.crema.io.AtomicFiles;
import dev.crema.io.Content;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The load generator {@code wrk}, where it is installed: a client that leaves more to a server. */
final class Wrk {
  private static final Pattern RATE = Pattern.compile("Requests/sec:\\s+([0-9.]+)");
  private static final Pattern REFUSED = Pattern.compile("Non-2xx or 3xx responses: ([0-9]+)");
  private static final Pattern BROKEN =
      Pattern.compile("Socket errors: connect (\\d+), read (\\d+), write (\\d+), timeout (\\d+)");

  /** Threads that it has unless told otherwise: one alone is slower than the server. */
  private static final int THREADS = 2;

  private Wrk() {}

  static boolean isThere() {
    String path = System.getenv("PATH");
    return path != null
        && Pattern.compile(File.pathSeparator)
            .splitAsStream(path)
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "wrk")));
  }

  /**
   * Sends a body again and again, by each connection as it has its answer.
   *
   * @param folder for its script
   * @return latencies are not a server's under such a load: NaN
   */
  static LoadTest.Outcome most(URI predict, String body, Path folder, LoadTest load) {
    Path script = folder.resolve("wrk.lua");
    AtomicFiles.write(
        script,
        Content.of(
            "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [=["
                + body
                + "]=]\n"));
    run(predict, script, load.connections(), load.warmUp());
    return outcome(run(predict, script, load.connections(), load.seconds()));
  }

  private static String run(URI predict, Path script, int connections, double seconds) {
    List<String> command =
        List.of(
            "wrk",
            "-t" + Math.min(THREADS, connections),
            "-c" + connections,
            "-d" + Math.max(1, Math.round(seconds)) + "s",
            "-s",
            script.toString(),
            predict.toString());
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new CremaException("wrk failed: " + said);
      }
      return said;
    } catch (IOException e) {
      throw new CremaException("Can't run wrk: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    }
  }

  /** What it said. */
  static LoadTest.Outcome outcome(String said) {
    Matcher rate = RATE.matcher(said);
    if (!rate.find()) {
      throw new CremaException("wrk gave no rate: " + said);
    }
    long errors = 0;
    Matcher refused = REFUSED.matcher(said);
    if (refused.find()) {
      errors += Long.parseLong(refused.group(1));
    }
    Matcher broken = BROKEN.matcher(said);
    if (broken.find()) {
      for (int i = 1; i <= broken.groupCount(); i++) {
        errors += Long.parseLong(broken.group(i));
      }
    }
    return new LoadTest.Outcome(Double.parseDouble(rate.group(1)), Double.NaN, Double.NaN, errors);
  }
}
