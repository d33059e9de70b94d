package dev.crema.bench.serving;

import dev.crema.io.AtomicFiles;
import dev.crema.io.Content;
import dev.crema.nn.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A server that knows its one answer before it is asked: the limit of this machine and client. */
final class Floor implements Server {
  @Override
  public String name() {
    return "limit: a constant answer";
  }

  @Override
  public String version() {
    return "Java " + Runtime.version();
  }

  @Override
  public List<String> command(ServedNetwork network, Path folder, int port) throws IOException {
    Path answer = folder.resolve("answer.json");
    try (Model model = network.network().model()) {
      String row = Arrays.toString(model.predict(network.network().examples(1)));
      AtomicFiles.write(answer, Content.of("{\"predictions\":[" + row + "]}"));
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            ConstantServer.class.getName(),
            "" + port,
            answer.toString()));
    return command;
  }
}
