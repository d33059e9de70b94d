package dev.crema.bench.serving;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.io.Json;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code crema load-test} in a process of its own: the same client for every server.
 *
 * @param seconds how long each load lasts, behind its warm-up
 * @param connections most requests at once
 * @param warmUp seconds before a load is measured: JVMs of server and client compile for most of a
 *     minute on two processors
 */
record LoadTest(double seconds, int connections, double warmUp) {
  private static final double CLIENT_WARM_UP_SECONDS = 20;

  /**
   * What a load showed.
   *
   * @param rate answers a second
   * @param p50 microseconds, from when a request was due
   * @param errors requests that were not answered with predictions
   */
  record Outcome(double rate, double p50, double p99, long errors) {}

  /** For a server that has done that work before: only the client, a new process, is cold. */
  LoadTest again() {
    return new LoadTest(seconds, connections, Math.min(warmUp, CLIENT_WARM_UP_SECONDS));
  }

  /** Each connection sends when it has its answer: the most that the server can do. */
  Outcome most(URI predict, Path body) {
    return run(predict, List.of("--body", body.toString(), "--closed"));
  }

  /** Requests come at a rate, whether or not the server keeps up. */
  Outcome at(URI predict, Path body, double rate) {
    return run(predict, List.of("--body", body.toString(), "--rate", "" + (long) rate));
  }

  /** As {@link #most}, over gRPC, with made up inputs. */
  Outcome mostByGrpc(URI predict, String model) {
    return run(predict.resolve("/"), grpc(model, "--closed"));
  }

  /** As {@link #at}, over gRPC, with made up inputs. */
  Outcome byGrpcAt(URI predict, String model, double rate) {
    return run(predict.resolve("/"), grpc(model, "--rate", "" + (long) rate));
  }

  private static List<String> grpc(String model, String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("--model", model, "--protocol", "tensorflow_grpc"));
    arguments.addAll(List.of(more));
    return arguments;
  }

  private Outcome run(URI predict, List<String> more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "load-test",
                predict.toString(),
                "--json",
                "--duration",
                "" + seconds,
                "--warm-up",
                "" + warmUp,
                "--connections",
                "" + connections));
    arguments.addAll(more);
    List<String> command = CommandLineJar.command(List.of(), arguments.toArray(new String[0]));
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int exit = process.waitFor();
      JsonNode document = Json.mapper().readTree(said);
      if (document == null || !document.has("achieved_rate")) {
        throw new CremaException(String.join(" ", arguments) + " ended with " + exit);
      }
      long errors = 0;
      for (JsonNode count : document.path("errors")) {
        errors += count.asLong();
      }
      JsonNode latency = document.path("latency_us");
      return new Outcome(
          document.path("achieved_rate").asDouble(),
          latency.path("p50").asDouble(),
          latency.path("p99").asDouble(),
          errors);
    } catch (IOException e) {
      throw new CremaException("Can't run a load: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    }
  }
}
