package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.nn.TopologyFormat;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what a saved model is. */
@Command(
    name = "inspect",
    description = "Shows the layers and parameters of a saved model.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Option(names = "--model", required = true, description = "Folder or .zip of the model.")
  private Path model;

  @Override
  public Integer call() {
    try (Model loaded = Model.load(model)) {
      common.text().println(loaded.summary());
      ObjectNode document = Json.mapper().createObjectNode();
      document.set("topology", TopologyFormat.toJson(loaded.topology()));
      ArrayNode parameters = document.putArray("parameters");
      for (Parameter p : loaded.table().all()) {
        parameters
            .addObject()
            .put("path", p.path())
            .put("shape", p.type().toString())
            .put("trained", p.isTrained());
      }
      document.setAll(loaded.metadata());
      return common.finish(document);
    }
  }
}
