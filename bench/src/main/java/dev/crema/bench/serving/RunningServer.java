package dev.crema.bench.serving;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.io.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server's process, from its first right answer on. */
final class RunningServer implements AutoCloseable {
  private static final long START_SECONDS = 90;
  private static final long STOP_SECONDS = 60;
  private static final int LAST_LINES = 8;
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private static final Pattern OFF_HEAP =
      Pattern.compile("(?m)^crema_memory_offheap_bytes(?:\\{\\})? (\\S+)$");

  private final Process process;
  private final URI predict;

  private RunningServer(Process process, URI predict) {
    this.process = process;
    this.predict = predict;
  }

  /**
   * Starts it and waits until it answers.
   *
   * @throws CremaException if it ends before, or takes too long, with what it said
   */
  static RunningServer start(Server server, ServedNetwork network, Path folder) {
    try {
      int port = freePort();
      Path log = folder.resolve("server.log");
      List<String> command = server.command(network, folder, port);
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      URI predict =
          URI.create("http://127.0.0.1:" + port + "/v1/models/" + network.name() + ":predict");
      RunningServer running = new RunningServer(process, predict);
      try {
        running.await(server, network, log);
      } catch (RuntimeException | Error | IOException | InterruptedException e) {
        running.close();
        throw e;
      }
      return running;
    } catch (IOException e) {
      throw new CremaException("Can't start " + server.name() + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void await(Server server, ServedNetwork network, Path log)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (System.nanoTime() < end && process.isAlive()) {
      try {
        if (post(network.body()).statusCode() == 200) {
          return;
        }
      } catch (IOException e) {
        // not listening yet
      }
      Thread.sleep(100);
    }
    List<String> said = Files.readAllLines(log);
    throw new CremaException(
        server.name()
            + (process.isAlive() ? " gave no answer in " + START_SECONDS + " s: " : " ended: ")
            + String.join(" | ", said.subList(Math.max(0, said.size() - LAST_LINES), said.size())));
  }

  private HttpResponse<String> post(String body) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(predict)
            .timeout(Duration.ofSeconds(20))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
  }

  /** The first row of the predictions in the body of an answer; empty if there is none. */
  static float[] firstRow(String answer) throws IOException {
    JsonNode row = Json.mapper().readTree(answer).path("predictions").path(0);
    float[] values = new float[row.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) row.get(i).doubleValue();
    }
    return values;
  }

  /** Its answer to one request, the first row of the predictions. */
  float[] predictions(String body) {
    try {
      return firstRow(post(body).body());
    } catch (IOException e) {
      throw new CremaException(predict + " gave no readable answer: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    }
  }

  URI predict() {
    return predict;
  }

  /** Resident memory in bytes; 0 where the system doesn't say. */
  long residentBytes() {
    return 1024 * status("VmRSS:");
  }

  /** Bytes off the heap that Crema's own metrics tell; 0 while it doesn't say. */
  long offHeapBytes() {
    HttpRequest request =
        HttpRequest.newBuilder(predict.resolve("/metrics")).timeout(Duration.ofSeconds(20)).build();
    try {
      Matcher matcher =
          OFF_HEAP.matcher(CLIENT.send(request, HttpResponse.BodyHandlers.ofString()).body());
      return matcher.find() ? (long) Double.parseDouble(matcher.group(1)) : 0;
    } catch (IOException e) {
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    }
  }

  /** 0 where the system doesn't say. */
  int threads() {
    return (int) status("Threads:");
  }

  private long status(String name) {
    try {
      Path status = Path.of("/proc/" + process.pid() + "/status");
      return Files.readAllLines(status).stream()
          .filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }

  /** Asks it to end (SIGTERM) and gives its exit code. */
  int stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    return process.waitFor();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
