package dev.crema.cli;

import dev.crema.CremaException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code crema} command. Exit codes: 0 success, 1 failure, 2 wrong use. */
@Command(
    name = "crema",
    description = "Trains, compresses and serves neural networks inside the JVM.",
    mixinStandardHelpOptions = true,
    version = "crema 0.1.0",
    synopsisSubcommandLabel = "COMMAND",
    footer =
        "%n`crema bench` measures this machine and other engines; it is built when it is first"
            + " used.")
public final class Main implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Which command?");
  }

  public static void main(String[] args) {
    StandardOutput out = StandardOutput.install();
    int code = execute(args);
    System.out.flush();
    System.exit(out.exitCode(code, System.err));
  }

  /** Runs a command line; gives its exit code. */
  static int execute(String... args) {
    return commandLine(args)
        .setParameterExceptionHandler(Main::misused)
        .setExecutionExceptionHandler(Main::failed)
        .execute(args);
  }

  /** What understands these arguments. */
  static CommandLine commandLine(String... args) {
    CommandLine line = new CommandLine(new Main());
    Commands.addTo(line, args);
    Choice.addTo(line);
    return line;
  }

  /** Says what is wrong and where help is: after two pages of options nobody would see it. */
  private static int misused(CommandLine.ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    command.getErr().println("crema: " + e.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(e, command.getErr());
    if (command.getParent() == null) {
      command.usage(command.getErr());
    } else {
      String name = command.getCommandSpec().qualifiedName();
      command.getErr().println("`" + name + " --help` shows what there is.");
    }
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  private static int failed(Exception e, CommandLine command, CommandLine.ParseResult parsed) {
    boolean expected =
        e instanceof CremaException
            || e instanceof IllegalArgumentException
            || e instanceof IllegalStateException;
    command.getErr().println("crema: " + (e.getMessage() == null ? e.toString() : e.getMessage()));
    if (!expected || System.getenv("CREMA_TRACE") != null) {
      e.printStackTrace(command.getErr());
    } else {
      command.getErr().println("(CREMA_TRACE=1 shows where.)");
    }
    return 1;
  }
}
