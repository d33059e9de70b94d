package dev.crema.bench.serving;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.text.Table;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code crema bench serving embedded}. */
@Command(
    name = "embedded",
    description = {
      "What the serving layer (repository, batching, monitoring) adds to the median of a prediction"
          + " in one's own process: seed network, one example, one thread. It says nothing of HTTP"
          + " and JSON.",
      "Exit code 1 if it is more than 50 us."
    },
    mixinStandardHelpOptions = true)
final class EmbeddedCommand implements Callable<Integer> {
  private static final double BAR_US = 50;
  private static final String MEASURES = "dev.crema.cli.load.EmbeddedCost";

  @Option(
      names = "--calls",
      defaultValue = "200000",
      description = "Calls of each kind, and as many to warm up (default: ${DEFAULT-VALUE}).")
  private int calls;

  @Option(names = "--json", description = "Write one JSON document to standard output.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    if (calls < 1) {
      throw new CremaException("--calls must be at least 1");
    }
    Path folder = Files.createTempDirectory("crema-embedded");
    try {
      JsonNode result = measure(folder);
      double added = result.path("added_p50_us").asDouble();
      if (json) {
        System.out.println(result);
      } else {
        show(result, added);
      }
      return added <= BAR_US ? 0 : 1;
    } finally {
      TemporaryFolder.delete(folder);
    }
  }

  /** In a JVM of its own, with the class path of the product. */
  private JsonNode measure(Path models) throws IOException {
    String name = ServedNetwork.SEED.name();
    try (Model model = ServedNetwork.SEED.network().model()) {
      model.save(models.resolve(name).resolve("1"));
    }
    List<String> command =
        CommandLineJar.java(
            List.of(),
            CommandLineJar.module("java/cli", "crema-cli"),
            MEASURES,
            models.toString(),
            name,
            Integer.toString(calls));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      int exit = process.waitFor();
      if (exit != 0) {
        throw new CremaException("The measurement ended with exit code " + exit + ": " + said);
      }
      return Json.mapper().readTree(said.substring(said.lastIndexOf('\n') + 1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    } finally {
      process.destroy();
    }
  }

  private static void show(JsonNode result, double added) {
    Table table = Table.of("call", "p50", "p99");
    table.row("Predictor", us(result.path("direct_p50_us")), us(result.path("direct_p99_us")));
    table.row(
        "Predictions, monitored",
        us(result.path("served_p50_us")),
        us(result.path("served_p99_us")));
    System.out.print(table);
    System.out.printf(
        Locale.ROOT,
        "%s: the serving layer adds %.1f us to the median (bar: %.0f us)%n",
        added <= BAR_US ? "reached" : "not reached",
        added,
        BAR_US);
  }

  private static String us(JsonNode value) {
    return String.format(Locale.ROOT, "%.2f us", value.asDouble());
  }
}
