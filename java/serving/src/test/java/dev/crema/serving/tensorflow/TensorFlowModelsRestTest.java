package dev.crema.serving.tensorflow;

import static dev.crema.serving.RestAnswers.expect;
import static dev.crema.serving.RestAnswers.json;
import static dev.crema.serving.RestAnswers.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.serving.ProtocolServer;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.protocol.ProtocolOptions;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TensorFlow Serving's REST paths: states and signatures of models, methods and codes. */
class TensorFlowModelsRestTest {
  private static ProtocolServer server;

  @BeforeAll
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void tellsTheStatesOfAllVersionsFailedOnesToo() {
    expect(
        server.get("/v1/models/pets"),
        """
        {"model_version_status": [
          {"version": "3", "state": "END",
           "status": {"error_code": "UNKNOWN", "error_message": "config.json is missing"}},
          {"version": "2", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}},
          {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]}\
        """);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/versions/1", "/labels/stable"})
  void tellsTheStateOfOneVersion(String which) {
    expect(
        server.get("/v1/models/pets" + which),
        """
        {"model_version_status": [
          {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]}\
        """);
  }

  @Test
  void tellsTheSignature() {
    expect(
        server.get("/v1/models/pets/versions/1/metadata"),
        """
        {"model_spec": {"name": "pets", "signature_name": "", "version": "1"},
         "metadata": {"signature_def": {"signature_def": {"serving_default": {
           "inputs": {"x": {
             "dtype": "DT_FLOAT",
             "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "3", "name": ""}],
                              "unknown_rank": false},
             "name": "serving_default_x:0"}},
           "outputs": {"scores": {
             "dtype": "DT_FLOAT",
             "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}],
                              "unknown_rank": false},
             "name": "StatefulPartitionedCall:0"}},
           "method_name": "tensorflow/serving/predict"}}}}}\
        """);
    assertThat(json(server.get("/v1/models/pets/metadata").body()).at("/model_spec/version"))
        .hasToString("\"2\"");
    assertThat(
            json(server.get("/v1/models/pets/labels/stable/metadata").body())
                .at("/model_spec/version"))
        .hasToString("\"1\"");
  }

  @ParameterizedTest
  @CsvSource({
    "/v1/models/nobody:predict,404,nobody",
    "/v1/models/pets/versions/9:predict,404,9",
    "/v1/models/pets/labels/other:predict,404,other",
    "/v1/models/pets/versions/x:predict,400,whole number",
    "/v1/models/pets/versions/99999999999999999999:predict,400,whole number",
    "/v1/models/pets/versions/3:predict,503,3",
    "/v1/models/down:predict,503,down",
    "/v1/models/busy:predict,429,full",
    "/v1/models/broken:predict,500,failed",
    "/v1/models/pets:dance,404,Malformed request",
    "/v1/models/:predict,404,Malformed request",
  })
  void givesTheCodeThatStandsForAFailure(String path, int status, String says) {
    refused(server.post(path, "{\"instances\": [[1, 2, 3]]}"), status, says);
  }

  @Test
  void knowsNoWayUpwards() {
    assertThat(server.get("/v1/models/..%2F..%2Fetc").statusCode()).isEqualTo(400);
    assertThat(server.get("/v1/models/../../etc/passwd").statusCode()).isIn(400, 404);
    assertThat(server.get("/v1/models/%2e%2e%5cetc").statusCode()).isEqualTo(400);
  }

  @Test
  void saysWhenToComeBack() {
    HttpResponse<String> response =
        server.post("/v1/models/busy:predict", "{\"instances\": [[1, 2, 3]]}");
    assertThat(response.headers().firstValue("retry-after")).contains("2");
  }

  @Test
  void refusesOtherMethods() {
    refused(server.get("/v1/models/pets:predict"), 405, "POST");
    refused(server.post("/v1/models/pets", ""), 405, "GET");
    refused(server.post("/v1/models/pets/metadata", ""), 405, "GET");
    refused(server.get("/v1/models/nobody"), 404, "nobody");
    refused(server.get("/v1/models/nobody/metadata"), 404, "nobody");
    refused(server.get("/v1/models/pets/versions/7"), 404, "7");
    refused(server.get("/v1/models"), 400, "Missing model name");
    assertThat(server.get("/v1/models/pets:predict").headers().firstValue("allow"))
        .contains("POST");
  }

  @Test
  void takesIdAndTimeoutFromHeaders() {
    server.models.requests.clear();
    long before = System.nanoTime();
    HttpResponse<String> response =
        server.post(
            "/v1/models/pets:predict",
            "{\"instances\": [[1, 2, 3]]}",
            "x-request-id",
            "r-17",
            "x-request-timeout-ms",
            "250");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-request-id")).contains("r-17");
    InferenceRequest request = server.models.requests.peek();
    assertThat(request.id()).isEqualTo("r-17");
    assertThat(request.deadlineNanos() - before)
        .isBetween(250_000_000L, System.nanoTime() - before + 250_000_000L);
    refused(
        server.post(
            "/v1/models/pets:predict",
            "{\"instances\": [[1, 2, 3]]}",
            "x-request-timeout-ms",
            "soon"),
        400,
        "x-request-timeout-ms",
        "soon");
  }
}
