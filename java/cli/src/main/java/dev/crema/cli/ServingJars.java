package dev.crema.cli;

import dev.crema.CremaException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The server and the libraries it stands on, which an installation may do without. */
final class ServingJars {
  /** One class of each jar that commands name: Crema's server, Armeria under it, latencies. */
  private static final String[] CLASSES = {
    "dev/crema/serving/ModelServer.class",
    "com/linecorp/armeria/server/Server.class",
    "org/HdrHistogram/Histogram.class"
  };

  private ServingJars() {}

  /** Whether all are on the class path. Loads none of their classes. */
  static boolean areThere() {
    ClassLoader loader = ServingJars.class.getClassLoader();
    for (String name : CLASSES) {
      if (loader.getResource(name) == null) {
        return false;
      }
    }
    return true;
  }

  /**
   * @param what needs them, for the message
   * @throws CremaException if they are not there
   */
  static void require(String what) {
    if (!areThere()) {
      throw new CremaException(
          what
              + " needs crema-serving and the libraries it stands on (Armeria, gRPC, Micrometer,"
              + " HdrHistogram), which this installation leaves out. Take the jars of a whole build,"
              + " java/cli/target/lib.");
    }
  }

  /**
   * Stands for a command that needs them.
   *
   * @param name the command as it is typed
   */
  record Missing(String name) implements Callable<Integer> {
    CommandSpec spec() {
      CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
      spec.usageMessage().description("Not in this installation: it needs crema-serving.");
      spec.parser().unmatchedOptionsArePositionalParams(true);
      spec.addPositional(
          PositionalParamSpec.builder()
              .arity("0..*")
              .type(List.class)
              .auxiliaryTypes(String.class)
              .hidden(true)
              .build());
      return spec;
    }

    @Override
    public Integer call() {
      require(name);
      return 0;
    }
  }
}
