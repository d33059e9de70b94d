package dev.crema.cli;

import dev.crema.cli.ServingJars.Missing;
import java.util.List;
import picocli.CommandLine;

/**
 * The commands by name. A command line that names one loads that one only: the server's classes and
 * what picocli reads of thirteen commands would take longer than a short command does.
 */
final class Commands {
  private static final List<String> NAMES =
      List.of(
          "demo",
          "train",
          "evaluate",
          "quantize",
          "predict",
          "distill",
          "prune",
          "optimize",
          "inspect",
          "devices",
          "serve",
          "serve-key",
          "load-test");

  private Commands() {}

  /** Adds the command that the first argument names; all of them if it names none. */
  static void addTo(CommandLine line, String... arguments) {
    if (arguments.length > 0 && NAMES.contains(arguments[0])) {
      add(line, arguments[0]);
    } else {
      NAMES.forEach(name -> add(line, name));
    }
  }

  private static void add(CommandLine line, String name) {
    switch (name) {
      case "serve", "serve-key", "load-test" -> {
        if (ServingJars.areThere()) {
          line.addSubcommand(name, serving(name));
        } else {
          line.addSubcommand(name, new Missing("crema " + name).spec());
        }
      }
      default -> line.addSubcommand(name, ofEngine(name));
    }
  }

  private static Class<?> ofEngine(String name) {
    return switch (name) {
      case "demo" -> DemoCommand.class;
      case "train" -> TrainCommand.class;
      case "evaluate" -> EvaluateCommand.class;
      case "quantize" -> QuantizeCommand.class;
      case "predict" -> PredictCommand.class;
      case "distill" -> DistillCommand.class;
      case "prune" -> PruneCommand.class;
      case "optimize" -> OptimizeCommand.class;
      case "inspect" -> InspectCommand.class;
      case "devices" -> DevicesCommand.class;
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static Class<?> serving(String name) {
    return switch (name) {
      case "serve" -> ServeCommand.class;
      case "serve-key" -> ServeKeyCommand.class;
      case "load-test" -> LoadTestCommand.class;
      default -> throw new IllegalArgumentException(name);
    };
  }
}
