package dev.crema.serving.openinference;

import static dev.crema.serving.RestAnswers.expect;
import static dev.crema.serving.RestAnswers.json;
import static dev.crema.serving.RestAnswers.refused;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.protocol.ProtocolOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The Open Inference Protocol's inference over REST, tensors in JSON. */
class OpenInferenceInferRestTest {
  private static final String X =
      "{\"inputs\": [{\"name\": \"x\", \"shape\": [1, 3], \"datatype\": \"FP32\", \"data\": [1, 2, 3]}]}";
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
  void infersAsInTheSpecification() {
    expect(
        server.post(
            "/v2/models/pair/infer",
            """
            {"id": "42", "parameters": {"other": [1, {"a": 2}]},
             "inputs": [
              {"name": "a", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]},
              {"name": "b", "shape": [2], "datatype": "INT32", "data": [10, 20]}],
             "outputs": [{"name": "sum"}]}"""),
        """
        {"model_name": "pair", "model_version": "1", "id": "42",
         "outputs": [{"name": "sum", "datatype": "FP32", "shape": [2, 2],
                      "data": [11.0, 12.0, 23.0, 24.0]}]}""");
  }

  @Test
  void givesAllOutputsIfNoneIsNamed() {
    expect(
        server.post(
            "/v2/models/pair/versions/1/infer",
            """
            {"inputs": [
              {"data": [[1, 2], [3, 4]], "datatype": "FP32", "name": "a", "shape": [2, 2]},
              {"data": [10, 20], "datatype": "INT32", "name": "b", "shape": [2]}]}"""),
        """
        {"model_name": "pair", "model_version": "1",
         "outputs": [
          {"name": "sum", "datatype": "FP32", "shape": [2, 2], "data": [11.0, 12.0, 23.0, 24.0]},
          {"name": "twice", "datatype": "INT64", "shape": [2], "data": [20, 40]}]}""");
  }

  @Test
  void takesEmptyBatchesAndNumbersThatAreNone() {
    expect(
        server.post(
            "/v2/models/pets/infer",
            "{\"inputs\": [{\"name\": \"x\", \"shape\": [0, 3], \"datatype\": \"FP32\", \"data\": []}]}"),
        """
        {"model_name": "pets", "model_version": "2",
         "outputs": [{"name": "scores", "datatype": "FP32", "shape": [0, 2], "data": []}]}""");
    expect(
        server.post("/v2/models/pets/infer", X.replace("1, 2, 3]}", "NaN, 0, -Infinity]}")),
        """
        {"model_name": "pets", "model_version": "2",
         "outputs": [{"name": "scores", "datatype": "FP32", "shape": [1, 2],
                      "data": [NaN, -Infinity]}]}""");
  }

  @ParameterizedTest
  @CsvSource({
    "echo_FLOAT32,FP16,0.5",
    "echo_FLOAT32,BF16,0.5",
    "echo_FLOAT32,INT8,-7.0",
    "echo_FLOAT32,UINT16,65535.0",
    "echo_INT32,UINT16,65535",
    "echo_INT64,UINT32,4294967295",
    "echo_INT64,INT8,-7",
    "echo_BOOL,BOOL,true",
    "echo_UINT8,UINT8,200",
    "echo_FLOAT16,FP16,0.5",
    "echo_BFLOAT16,BF16,0.5",
  })
  void widensWhatLosesNothing(String model, String datatype, String value) {
    String sent = datatype.contains("INT") ? value.replace(".0", "") : value;
    JsonNode answer =
        json(
            server
                .post(
                    "/v2/models/" + model + "/infer",
                    "{\"inputs\": [{\"name\": \"x\", \"shape\": [1, 2], \"datatype\": \""
                        + datatype
                        + "\", \"data\": [["
                        + sent
                        + ", "
                        + sent
                        + "]]}]}")
                .body());
    assertThat(answer.at("/outputs/0/data").toString()).isEqualTo("[" + value + "," + value + "]");
  }

  @ParameterizedTest
  @CsvSource({
    "echo_FLOAT32,FP64", "echo_FLOAT32,INT32", "echo_FLOAT32,BOOL", "echo_FLOAT16,BF16",
    "echo_INT32,INT64", "echo_INT32,UINT32", "echo_UINT8,INT8", "echo_BOOL,UINT8",
    "echo_FLOAT32,BYTES", "echo_FLOAT32,fp32", "echo_INT64,UINT64"
  })
  void refusesTypesThatWouldLose(String model, String datatype) {
    refused(
        server.post(
            "/v2/models/" + model + "/infer",
            "{\"inputs\": [{\"name\": \"x\", \"shape\": [1, 2], \"datatype\": \""
                + datatype
                + "\", \"data\": [1, 1]}]}"),
        400,
        "'x'",
        "'" + datatype + "'",
        "the model takes");
  }

  @Test
  void namesTheBestClasses() {
    expect(
        server.post(
            "/v2/models/pets/infer",
            """
            {"inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3.5, 1, 2, NaN]}],
             "outputs": [{"name": "scores", "parameters": {"classification": 2}}]}"""),
        """
        {"model_name": "pets", "model_version": "2",
         "outputs": [{"name": "scores", "datatype": "BYTES", "shape": [2, 2],
                      "data": ["3.5:1:dog", "3.0:0:cat", "3.0:0:cat", "NaN:1:dog"]}]}""");
    expect(
        server.post(
            "/v2/models/echo_FLOAT32/infer",
            """
            {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}],
             "outputs": [{"name": "x", "parameters": {"classification": 1}}]}"""),
        """
        {"model_name": "echo_FLOAT32", "model_version": "1",
         "outputs": [{"name": "x", "datatype": "BYTES", "shape": [1, 1], "data": ["2.0:1"]}]}""");
    refused(
        server.post(
            "/v2/models/echo_INT32/infer",
            """
            {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "INT32", "data": [1, 2]}],
             "outputs": [{"name": "x", "parameters": {"classification": 1}}]}"""),
        400,
        "classification");
  }

  @Test
  void takesIdTimeoutAndPriority() {
    server.models.requests.clear();
    long before = System.nanoTime();
    JsonNode answer =
        json(
            server
                .post(
                    "/v2/models/pets/infer",
                    X.replace(
                        "{\"inputs\"",
                        "{\"id\": \"a\", \"parameters\": {\"timeout\": 500000, \"priority\": 3}, \"inputs\""))
                .body());
    assertThat(answer.get("id").textValue()).isEqualTo("a");
    InferenceRequest request = server.models.requests.peek();
    assertThat(request.deadlineNanos() - before)
        .isBetween(500_000_000L, System.nanoTime() - before + 500_000_000L);
    assertThat(request.priority()).isEqualTo(-2);
    assertThat(request.id()).isEqualTo("a");
    assertThat(request.protocol()).isEqualTo("oip-rest");
    refused(
        server.post(
            "/v2/models/pets/infer",
            X.replace("{\"inputs\"", "{\"id\": \"" + "a".repeat(300) + "\", \"inputs\"")),
        400,
        "id");
  }

  @ParameterizedTest
  @CsvSource({
    "nobody,404",
    "down,503",
    "busy,429",
    "broken,500",
    "pets/versions/9,404",
    "pets/versions/other,404"
  })
  void givesTheCodeThatStandsForAFailure(String model, int status) {
    refused(server.post("/v2/models/" + model + "/infer", X), status);
  }
}
