package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.serving.ModelServer;
import dev.crema.serving.config.Assembly;
import dev.crema.serving.config.Overrides;
import dev.crema.serving.config.ServerConfig;
import io.opentelemetry.api.OpenTelemetry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What java/serving/deploy says of the server is true of it: flags, ports and paths. */
class DeployTest {
  @TempDir private Path folder;

  @Test
  void containersAreStartedWithFlagsThatThereAre() throws IOException {
    List<JsonNode> containers = containers();
    assertThat(containers).hasSize(2);
    for (JsonNode container : containers) {
      List<String> arguments = new ArrayList<>(List.of("serve"));
      container.path("args").forEach(a -> arguments.add(a.asText()));
      String[] given = arguments.toArray(new String[0]);
      Main.commandLine(given).parseArgs(given); // throws
      String port = arguments.get(arguments.indexOf("--port") + 1);
      assertThat(container.at("/ports/0/containerPort").asText()).isEqualTo(port);
    }
  }

  @Test
  void theServerAnswersTheirProbesAndScrapes() throws Exception {
    try (Model model = Model.sequential(4).dense(3, Activation.SOFTMAX).build(1)) {
      model.save(folder.resolve("flowers/1"));
    }
    Map<String, String> flags = Map.of("models.root", "" + folder, "server.port", "0");
    ServerConfig config = ServerConfig.byDefault(folder, new Overrides(Map.of(), flags));
    try (ModelServer server = Assembly.build(config, OpenTelemetry.noop())) {
      server.start();
      List<String> paths = new ArrayList<>();
      for (JsonNode document : documents()) {
        document.findValues("httpGet").forEach(get -> paths.add(get.path("path").asText()));
        for (String name : List.of("prometheus.io/path", "prometheus.kserve.io/path")) {
          document.findValues(name).forEach(path -> paths.add(path.asText()));
        }
      }
      assertThat(paths).hasSize(7);
      for (String path : paths) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.uri() + path)).build();
        HttpResponse<String> answer =
            HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(path).isEqualTo(200);
      }
    }
  }

  /** What a cluster would refuse, or accept and then send no request to. */
  @Test
  void theManifestsNamesMeetEachOther() throws IOException {
    Map<String, JsonNode> byKind = new LinkedHashMap<>();
    for (JsonNode document : documents()) {
      assertThat(document.path("apiVersion").asText()).isNotEmpty();
      assertThat(document.at("/metadata/name").asText()).matches("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
      byKind.put(document.path("kind").asText(), document);
    }
    assertThat(byKind)
        .containsOnlyKeys("Deployment", "Service", "ClusterServingRuntime", "InferenceService");
    JsonNode deployment = byKind.get("Deployment");
    JsonNode labels = deployment.at("/spec/template/metadata/labels");
    assertThat(deployment.at("/spec/selector/matchLabels")).isEqualTo(labels);
    JsonNode service = byKind.get("Service");
    assertThat(service.at("/spec/selector")).isEqualTo(labels);
    JsonNode pod = deployment.at("/spec/template/spec");
    String port = pod.at("/containers/0/ports/0/name").asText();
    assertThat(service.at("/spec/ports/0/targetPort").asText()).isEqualTo(port);
    assertThat(pod.findValuesAsText("port")).isNotEmpty().containsOnly(port);
    assertThat(pod.at("/containers/0/volumeMounts").findValuesAsText("name"))
        .isEqualTo(pod.path("volumes").findValuesAsText("name"));
    assertThat(pod.at("/containers/0/volumeMounts/0/mountPath").asText())
        .isEqualTo(pod.at("/containers/0/args/1").asText());
    JsonNode runtime = byKind.get("ClusterServingRuntime");
    JsonNode model = byKind.get("InferenceService").at("/spec/predictor/model");
    assertThat(runtime.at("/spec/supportedModelFormats").findValuesAsText("name"))
        .contains(model.at("/modelFormat/name").asText());
    List<String> protocols = new ArrayList<>();
    runtime.at("/spec/protocolVersions").forEach(p -> protocols.add(p.asText()));
    assertThat(protocols).contains(model.path("protocolVersion").asText());
    assertThat(runtime.at("/spec/annotations/prometheus.kserve.io~1port").asText())
        .isEqualTo(runtime.at("/spec/containers/0/ports/0/containerPort").asText());
  }

  private static List<JsonNode> containers() throws IOException {
    List<JsonNode> all = new ArrayList<>();
    for (JsonNode document : documents()) {
      document.findValues("containers").forEach(list -> list.forEach(all::add));
    }
    return all;
  }

  private static List<JsonNode> documents() throws IOException {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("README.md"))) {
      root = root.getParent(); // from the module up to the root
    }
    Path deploy = root.resolve("java/serving/deploy");
    List<JsonNode> documents = new ArrayList<>();
    YAMLMapper yaml = new YAMLMapper();
    for (String file : List.of("kubernetes.yaml", "kserve.yaml")) {
      try (MappingIterator<JsonNode> parts =
          yaml.readerFor(JsonNode.class).readValues(deploy.resolve(file).toFile())) {
        parts.forEachRemaining(documents::add);
      }
    }
    return documents;
  }
}
