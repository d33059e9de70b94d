package dev.crema.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.crema.CremaException;
import dev.crema.bench.gpu.GpuCommand;
import dev.crema.bench.serving.ServingCommand;
import dev.crema.io.AtomicFiles;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.text.Table;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code crema bench}. Exit codes: 0 success, 1 something failed, 2 wrong use. */
@Command(
    name = "crema bench",
    description =
        "Measures Crema beside this machine's limits and, with --peers, beside other engines,"
            + " whose results are first compared with Crema's.",
    mixinStandardHelpOptions = true,
    subcommands = {ServingCommand.class, GpuCommand.class},
    version = "crema bench " + Model.VERSION)
final class BenchCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "NAME",
      description =
          "What to measure: names or their beginnings, as lenet or matmul.64; by default"
              + " all but the single kernels.")
  private List<String> names = new ArrayList<>();

  @Option(names = "--list", description = "List what can be measured, and the engines.")
  private boolean list;

  @Option(
      names = "--peers",
      description =
          "Measure the peers too: libtorch, ONNX Runtime, oneDNN, TensorFlow, DL4J (first use"
              + " downloads them).")
  private boolean peers;

  @Option(names = "--kernels", description = "Measure the single kernels too.")
  private boolean kernels;

  @Option(
      names = "--engine",
      split = ",",
      description = "Only these engines (Crema always is among them).")
  private List<String> engineNames = new ArrayList<>();

  @Option(
      names = "--threads",
      split = ",",
      description =
          "Numbers of threads, as 1,2: Crema is measured on each of them, peers on the first"
              + " (default: 1; with --report 1,2 where there are two processors).")
  private List<Integer> threads = new ArrayList<>();

  @Option(
      names = "--rounds",
      defaultValue = "1",
      description =
          "How often everything is measured; in a round a work's engines follow one another"
              + " (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(names = "--quick", description = "Measure briefly: a first look, not a result.")
  private boolean quick;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      arity = "0..1",
      fallbackValue = "crema-out/bench",
      description =
          "Write the table, with the bars that Crema is held against and what limits the rows that"
              + " miss one, to FILE.md and everything to FILE.json, after each work what was measured"
              + " so far (default FILE: ${FALLBACK-VALUE}, where --report comes last).")
  private Path report;

  @Option(names = "--json", description = "Write one JSON document to standard output.")
  private boolean json;

  public static void main(String[] args) {
    System.exit(
        new CommandLine(new BenchCommand())
            .setExecutionExceptionHandler(BenchCommand::failed)
            .execute(args));
  }

  private static int failed(Exception e, CommandLine command, CommandLine.ParseResult parsed) {
    command.getErr().println("crema: " + (e.getMessage() == null ? e.toString() : e.getMessage()));
    if (!(e instanceof CremaException || e instanceof IllegalArgumentException)) {
      e.printStackTrace(command.getErr());
    }
    return 1;
  }

  @Override
  public Integer call() throws IOException {
    if (threads.isEmpty()) {
      boolean both = report != null && Runtime.getRuntime().availableProcessors() > 1;
      threads = both ? List.of(1, 2) : List.of(1);
    }
    if (threads.stream().anyMatch(count -> count < 1) || rounds < 1) {
      throw new CremaException("--threads and --rounds must be at least 1");
    }
    return list ? list() : measure();
  }

  private int list() throws IOException {
    if (json) {
      ArrayNode works = Json.mapper().createArrayNode();
      Works.list()
          .forEach(
              w -> works.addObject().put("name", w.name()).put("description", w.description()));
      print(works);
      return 0;
    }
    Table table = Table.of("name", "what is measured");
    Works.list().forEach(w -> table.row(w.name(), w.description()));
    System.out.print(table);
    System.out.println("Engines: " + Engines.all().stream().map(Engine::name).toList());
    return 0;
  }

  /**
   * The limits beside which works are put, and the peers, are the processor's.
   *
   * @param device what CREMA_DEVICE says; null if it is not set
   */
  static void requireProcessor(String device) {
    if (device != null && !device.isBlank() && !device.equals("cpu")) {
      throw new CremaException(
          "`crema bench` measures the processor, beside its limits, but CREMA_DEVICE is "
              + device
              + ". `crema bench gpu` measures cards; or set CREMA_DEVICE=cpu.");
    }
  }

  private int measure() throws IOException {
    requireProcessor(System.getenv("CREMA_DEVICE"));
    List<Work> works = Works.matching(names, kernels);
    if (works.isEmpty()) {
      throw new CremaException("Nothing is named " + names + "; `crema bench --list` shows all");
    }
    Fork.Length length = quick ? Fork.Length.QUICK : Fork.Length.FULL;
    Machine machine = Machine.here();
    Report result =
        new Bench(works, engines(), threads, rounds, length, System.err::println)
            .run(soFar -> write(soFar, machine));
    if (json) {
      print(Documents.json(result, machine, command()));
    } else {
      show(result, machine);
    }
    return result.isComplete() ? 0 : 1;
  }

  private List<Engine> engines() {
    List<Engine> engines = new ArrayList<>();
    engineNames.forEach(Engines::named); // complains of a name that there is not
    for (Engine engine : Engines.all()) {
      boolean crema = engine.name().equals(Engines.CREMA);
      boolean asked = engineNames.isEmpty() ? peers : engineNames.contains(engine.name());
      if (crema || asked) {
        engines.add(engine);
      }
    }
    return engines;
  }

  private void show(Report result, Machine machine) {
    List<List<String>> rows = result.table();
    Table table = Table.of(rows.get(0).toArray(new String[0]));
    rows.subList(1, rows.size()).forEach(row -> table.row(row.toArray()));
    PrintStream out = System.out;
    out.println(machine.processor() + ", " + Documents.threads(threads));
    out.print(table);
    result.notReached().forEach(line -> out.println("not reached: " + line));
    result.problems().forEach(line -> out.println("failed: " + line));
  }

  /** So far, as well: an hour's measurements are not lost with what comes after them. */
  private void write(Report result, Machine machine) {
    if (report == null) {
      return;
    }
    Path folder = report.toAbsolutePath().getParent();
    AtomicFiles.write(
        folder.resolve(report.getFileName() + ".md"),
        Content.of(Documents.markdown(result, machine, command())));
    AtomicFiles.write(
        folder.resolve(report.getFileName() + ".json"),
        Content.of(Json.bytes(Documents.json(result, machine, command()))));
  }

  /** What was typed, as near as can be told. */
  private String command() {
    List<String> words = new ArrayList<>(List.of("./crema", "bench"));
    words.addAll(names);
    if (peers) {
      words.add("--peers");
    }
    if (kernels) {
      words.add("--kernels");
    }
    if (!engineNames.isEmpty()) {
      words.addAll(List.of("--engine", String.join(",", engineNames)));
    }
    String counts = threads.stream().map(String::valueOf).collect(Collectors.joining(","));
    words.addAll(List.of("--threads", counts, "--rounds", "" + rounds));
    if (quick) {
      words.add("--quick");
    }
    return String.join(" ", words);
  }

  private static void print(JsonNode document) {
    System.out.println(new String(Json.bytes(document), StandardCharsets.UTF_8));
  }
}
