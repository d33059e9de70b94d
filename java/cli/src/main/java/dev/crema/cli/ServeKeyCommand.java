package dev.crema.cli;

import dev.crema.serving.security.ApiKey;
import dev.crema.serving.security.Scope;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Makes a key for a client of a server. */
@Command(
    name = "serve-key",
    description =
        "Makes a random key for a client: prints it once, and the lines for server.yaml, which hold"
            + " only its hash.",
    mixinStandardHelpOptions = true)
final class ServeKeyCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "NAME", description = "Whose key it is; for logs.")
  private String name;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "SCOPE",
      description = "predict:MODEL, predict:*, metadata, metrics, admin.")
  private List<String> scopes;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    String list = scopes.stream().map(this::scope).collect(Collectors.joining(", "));
    ApiKey key = ApiKey.create();
    System.err.println(
        "The key, for Authorization: Bearer KEY or X-API-Key: KEY. It is kept nowhere:");
    System.out.println(key.key());
    System.err.println("For server.yaml, in security.keys:");
    System.err.println("  - name: " + name);
    System.err.println("    hash: " + key.hash());
    System.err.println("    scopes: [" + list + "]");
    return 0;
  }

  private String scope(String text) {
    try {
      Scope scope = Scope.parse(text);
      return scope.toString().contains("*") ? "'" + scope + "'" : scope.toString();
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
