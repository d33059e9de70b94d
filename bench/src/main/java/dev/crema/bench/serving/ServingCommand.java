package dev.crema.bench.serving;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.bench.Machine;
import dev.crema.io.AtomicFiles;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.text.Table;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code crema bench serving}. */
@Command(
    name = "serving",
    description = {
      "Measures `crema serve` under `crema load-test`, both on this machine, over loopback; with"
          + " --peers also Spring Boot over ONNX Runtime, alone and through DJL, with the same"
          + " model, requests and client, whose answers are first compared with Crema's. Beside"
          + " them stands what a server reaches that gives one answer to everything, the limit of"
          + " the machine. Where wrk is installed, it measures Crema's greatest rate, too.",
      "Seed network: one example a request. Heavy network, 1 ms: with batches and without."
    },
    mixinStandardHelpOptions = true,
    subcommands = {SoakCommand.class, EmbeddedCommand.class})
public final class ServingCommand implements Callable<Integer> {
  private static final double QUICK_SECONDS = 4;
  private static final double WARM_UP_SECONDS = 45;
  private static final double QUICK_WARM_UP_SECONDS = 5;

  @Option(
      names = "--peers",
      description = "Measure the other servers too (first use downloads them).")
  private boolean peers;

  @Option(
      names = "--seconds",
      defaultValue = "20",
      description = "Length of each load (default: ${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--connections",
      defaultValue = "32",
      description = "Most requests at once (default: ${DEFAULT-VALUE}).")
  private int connections;

  @Option(names = "--quick", description = "Measure briefly: a first look, not a result.")
  private boolean quick;

  @Option(names = "--report", paramLabel = "FILE", description = "Write everything to FILE (JSON).")
  private Path report;

  @Option(names = "--json", description = "Write one JSON document to standard output.")
  private boolean json;

  @Override
  public Integer call() {
    if (!(seconds > 0) || connections < 1) {
      throw new CremaException("--seconds and --connections must be more than 0");
    }
    Server crema = new CremaServer(ServingBars.CREMA);
    Server unbatched = new CremaServer(ServingBars.UNBATCHED, "--max-batch", "1");
    List<Server> servers = new ArrayList<>(List.of(crema, new Floor()));
    if (peers) {
      ServiceLoader.load(Server.Peers.class).forEach(p -> servers.addAll(p.servers()));
    }
    LoadTest load =
        new LoadTest(
            quick ? QUICK_SECONDS : seconds,
            connections,
            quick ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS);
    ServingBench bench =
        new ServingBench(servers, List.of(crema, unbatched), load, System.err::println);
    bench.run();
    ObjectNode document = document(bench);
    String text = new String(Json.bytes(document), StandardCharsets.UTF_8);
    if (report != null) {
      AtomicFiles.write(report, Content.of(text));
    }
    if (json) {
      System.out.println(text);
    } else {
      show(bench);
    }
    return bench.failures().isEmpty() && bench.rows().stream().allMatch(r -> r.errors() == 0)
        ? 0
        : 1;
  }

  private static void show(ServingBench bench) {
    Table table =
        Table.of(
            "server", "network", "protocol", "requests/s", "p50 at half", "p99 at half", "memory");
    for (ServingRow row : bench.rows()) {
      table.row(
          row.server().name(),
          row.network().name(),
          row.protocol(),
          String.format(Locale.ROOT, "%,.0f", row.most().rate()),
          microseconds(row.half().p50()),
          microseconds(row.half().p99()),
          String.format(Locale.ROOT, "%,.0f MB", row.megabytes()));
    }
    Machine machine = Machine.here();
    System.out.println(
        machine.date() + ", " + machine.processor() + ", " + machine.processors() + " cores");
    System.out.print(table);
    IdleCores.remark().ifPresent(System.out::println);
    new ServingBars(bench.rows()).verdicts().forEach(System.out::println);
    bench.failures().forEach((name, why) -> System.out.println("failed: " + name + ": " + why));
    for (ServingRow row : bench.rows()) {
      if (row.errors() > 0) {
        System.out.println("failed: " + row.server().name() + ": " + row.errors() + " requests");
      }
    }
  }

  private static String microseconds(double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%,.0f us", value);
  }

  private static ObjectNode document(ServingBench bench) {
    ObjectNode document = Json.mapper().createObjectNode();
    document.set("machine", Json.mapper().valueToTree(Machine.here()));
    IdleCores.remark().ifPresent(remark -> document.put("idle_cores", remark));
    ArrayNode rows = document.putArray("servers");
    for (ServingRow row : bench.rows()) {
      rows.addObject()
          .put("name", row.server().name())
          .put("version", row.server().version())
          .put("network", row.network().name())
          .put("protocol", row.protocol())
          .put("requests_per_second", row.most().rate())
          .put("rate_at_half", row.half().rate())
          .put("p50_us_at_half", row.half().p50())
          .put("p99_us_at_half", row.half().p99())
          .put("errors", row.errors())
          .put("resident_bytes", row.residentBytes());
    }
    ArrayNode bars = document.putArray("bars");
    new ServingBars(bench.rows()).verdicts().forEach(bars::add);
    ObjectNode failures = document.putObject("failures");
    bench.failures().forEach(failures::put);
    return document;
  }
}
