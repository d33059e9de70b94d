package dev.crema.serving.openinference;

import static dev.crema.serving.RestAnswers.expect;
import static dev.crema.serving.RestAnswers.json;
import static dev.crema.serving.RestAnswers.refused;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.protocol.ProtocolOptions;
import java.net.http.HttpResponse;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The Open Inference Protocol over REST: server, models, repository, and the OpenAPI document. */
class OpenInferenceModelsRestTest {
  private static ProtocolServer server;
  private static ProtocolServer admin;

  @BeforeAll
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
    admin = new ProtocolServer(ProtocolOptions.DEFAULT.withAdmin(true).withReady(() -> false));
  }

  @AfterAll
  static void stop() {
    server.close();
    admin.close();
  }

  @Test
  void tellsAboutTheServer() {
    expect(
        server.get("/v2"),
        """
        {"name": "crema", "version": "development",
         "extensions": ["binary_tensor_data", "classification", "model_repository"]}""");
    expect(server.get("/v2/health/live"), "{\"live\": true}");
    HttpResponse<String> ready = server.get("/v2/health/ready");
    assertThat(ready.statusCode()).as("model 'down' has never served").isEqualTo(503);
    assertThat(json(ready.body())).isEqualTo(json("{\"ready\": false}"));
    assertThat(admin.get("/v2/health/live").statusCode()).isEqualTo(200);
    assertThat(admin.get("/v2/health/ready").statusCode()).isEqualTo(503);
  }

  @Test
  void tellsAboutModels() {
    String metadata =
        """
        {"name": "pets", "versions": ["2", "1"], "platform": "crema_safetensors",
         "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
         "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, 2]}]}""";
    expect(server.get("/v2/models/pets"), metadata);
    expect(server.get("/v2/models/pets/versions/1"), metadata);
    expect(server.get("/v2/models/pets/versions/canary"), metadata);
    expect(server.get("/v2/models/pets/ready"), "{\"name\": \"pets\", \"ready\": true}");
    expect(server.get("/v2/models/pets/versions/1/ready"), "{\"name\": \"pets\", \"ready\": true}");
    HttpResponse<String> down = server.get("/v2/models/down/ready");
    assertThat(down.statusCode()).isEqualTo(503);
    assertThat(json(down.body())).isEqualTo(json("{\"name\": \"down\", \"ready\": false}"));
    refused(server.get("/v2/models/nobody"), 404, "nobody");
    refused(server.get("/v2/models/nobody/ready"), 404, "nobody");
    refused(server.get("/v2/models/pets/versions/9/ready"), 404, "9");
  }

  @Test
  void indexesTheRepository() {
    JsonNode all = json(server.post("/v2/repository/index", "").body());
    assertThat(all.get(0))
        .isEqualTo(
            json(
                "{\"name\": \"pets\", \"version\": \"3\", \"state\": \"UNAVAILABLE\", \"reason\": \"config.json is missing\"}"));
    assertThat(all.get(1))
        .isEqualTo(
            json(
                "{\"name\": \"pets\", \"version\": \"2\", \"state\": \"READY\", \"reason\": \"\"}"));
    assertThat(all.findValuesAsText("name")).contains("down", "pair");
    JsonNode ready = json(server.post("/v2/repository/index", "{\"ready\": true}").body());
    assertThat(ready.findValuesAsText("state")).containsOnly("READY");
    assertThat(ready.findValuesAsText("name")).doesNotContain("down");
    refused(server.post("/v2/repository/index", "{\"ready\": 1}"), 400, "ready");
    refused(server.post("/v2/repository/index", "[]"), 400, "object");
    refused(server.get("/v2/repository/index"), 405, "POST");
  }

  @Test
  void loadsAndUnloadsForAdministratorsOnly() {
    refused(server.post("/v2/repository/models/pets/load", ""), 403, "load");
    refused(server.post("/v2/repository/models/pets/unload", "{}"), 403, "load");
    assertThat(server.models.changes).isEmpty();
    expect(admin.post("/v2/repository/models/pets/load", ""), "{}");
    expect(admin.post("/v2/repository/models/pets/unload", "{\"parameters\": {}}"), "{}");
    assertThat(admin.models.changes).containsExactly("+pets", "-pets");
    refused(admin.post("/v2/repository/models/nobody/load", ""), 404, "nobody");
  }

  @Test
  void describesItselfAsOpenApi() {
    JsonNode document = json(server.get("/openapi.json").body());
    assertThat(document.get("openapi").textValue()).isEqualTo("3.1.0");
    assertThat(document.get("paths").fieldNames())
        .toIterable()
        .contains(
            "/v1/models/pets:predict",
            "/v1/models/pets/versions/{version}:classify",
            "/v1/models/half_plus_three/labels/{label}:regress",
            "/v1/models/table/labels/{label}/metadata",
            "/v2/models/pair/versions/{version}/infer",
            "/v2/repository/models/{model}/unload",
            "/v2/health/ready")
        .doesNotContain("/v1/models/down:predict", "/v1/models/pets:regress");
    Set<String> ids = new HashSet<>();
    for (Map.Entry<String, JsonNode> path : document.get("paths").properties()) {
      for (JsonNode operation : path.getValue()) {
        assertThat(ids.add(operation.get("operationId").textValue())).isTrue();
        for (JsonNode parameter : operation.path("parameters")) {
          assertThat(path.getKey()).contains("{" + parameter.get("name").textValue() + "}");
        }
        assertThat(operation.path("parameters").size())
            .as(path.getKey())
            .isEqualTo(path.getKey().split("\\{", -1).length - 1);
      }
    }
    JsonNode schemas = document.at("/components/schemas");
    assertThat(schemas.at("/pets.PredictRequest/oneOf/0/properties/instances"))
        .isEqualTo(
            json(
                """
                {"type": "array", "items": {"type": "array", "minItems": 3, "maxItems": 3,
                 "items": {"type": "number", "format": "float"}}}"""));
    // Every reference leads somewhere.
    for (JsonNode reference : document.findValues("$ref")) {
      assertThat(document.at(reference.textValue().substring(1)).isMissingNode())
          .as(reference.textValue())
          .isFalse();
    }
  }
}
