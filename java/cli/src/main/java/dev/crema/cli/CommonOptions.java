package dev.crema.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.io.Json;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Option;

/** What every command takes. */
final class CommonOptions {
  @Option(
      names = "--device",
      defaultValue = "best",
      description =
          "Where to compute: cpu, cuda:N, or best, which is what CREMA_DEVICE names, else the CPU"
              + " (default: ${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--threads",
      defaultValue = "0",
      description = "Threads to compute on; 0 for all (default: ${DEFAULT-VALUE}).")
  private int threads;

  @Option(
      names = "--seed",
      defaultValue = "42",
      description = "Of all that is random (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--json",
      description =
          "Write one JSON document to standard output, everything else to standard error.")
  private boolean json;

  Device device() {
    return device.equals("best") ? Device.best() : Device.named(device);
  }

  int threads() {
    if (threads < 0) {
      throw new CremaException("--threads must not be negative, got " + threads);
    }
    return threads;
  }

  long seed() {
    return seed;
  }

  boolean json() {
    return json;
  }

  /** Where text for people goes. */
  PrintStream text() {
    return json ? System.err : System.out;
  }

  /** Ends a command: the document, when one was asked for. */
  int finish(JsonNode document) {
    return finish(document, 0);
  }

  /** As {@link #finish(JsonNode)}, with an exit code. */
  int finish(JsonNode document, int code) {
    if (json) {
      System.out.println(new String(Json.bytes(document), StandardCharsets.UTF_8));
    }
    return code;
  }
}
