package dev.crema.bench.serving;

import dev.crema.nn.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code crema serve} with its defaults, or with other batches. */
final class CremaServer implements Server {
  private final String name;
  private final List<String> flags;

  CremaServer(String name, String... flags) {
    this.name = name;
    this.flags = List.of(flags);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String version() {
    return "Crema " + Model.VERSION + (flags.isEmpty() ? "" : " " + String.join(" ", flags));
  }

  @Override
  public List<String> command(ServedNetwork network, Path folder, int port) throws IOException {
    Path models = folder.resolve("models");
    try (Model model = network.network().model()) {
      model.save(models.resolve(network.name()).resolve("1"));
    }
    List<String> arguments =
        new ArrayList<>(List.of("serve", "--models", models.toString(), "--port", "" + port));
    arguments.addAll(flags);
    return CommandLineJar.command(List.of(), arguments.toArray(new String[0]));
  }
}
