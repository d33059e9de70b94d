package dev.crema.cli;

import dev.crema.cli.ServingJars.Missing;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine;

/**
 * The commands by name. A command line that names one loads that one only: the server's classes and
 * what picocli reads of thirteen commands would take longer than a short command does.
 */
final class Commands {
  /** Classes are loaded when they are asked for. */
  private static final Map<String, Supplier<Class<?>>> ALL = all();

  /** Those that stand on the server's jars. */
  private static final Set<String> SERVING = Set.of("serve", "serve-key", "load-test");

  private Commands() {}

  private static Map<String, Supplier<Class<?>>> all() {
    Map<String, Supplier<Class<?>>> all = new LinkedHashMap<>();
    all.put("demo", () -> DemoCommand.class);
    all.put("train", () -> TrainCommand.class);
    all.put("evaluate", () -> EvaluateCommand.class);
    all.put("quantize", () -> QuantizeCommand.class);
    all.put("predict", () -> PredictCommand.class);
    all.put("distill", () -> DistillCommand.class);
    all.put("prune", () -> PruneCommand.class);
    all.put("optimize", () -> OptimizeCommand.class);
    all.put("inspect", () -> InspectCommand.class);
    all.put("devices", () -> DevicesCommand.class);
    all.put("serve", () -> ServeCommand.class);
    all.put("serve-key", () -> ServeKeyCommand.class);
    all.put("load-test", () -> LoadTestCommand.class);
    return Collections.unmodifiableMap(all);
  }

  /** Adds the command that the first argument names; all of them if it names none. */
  static void addTo(CommandLine line, String... arguments) {
    if (arguments.length > 0 && ALL.containsKey(arguments[0])) {
      add(line, arguments[0]);
    } else {
      ALL.keySet().forEach(name -> add(line, name));
    }
  }

  private static void add(CommandLine line, String name) {
    boolean lacking = SERVING.contains(name) && !ServingJars.areThere();
    line.addSubcommand(name, lacking ? new Missing("crema " + name).spec() : ALL.get(name).get());
  }
}
