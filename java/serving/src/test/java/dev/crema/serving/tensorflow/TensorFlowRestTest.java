package dev.crema.serving.tensorflow;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.crema.memory.ElementType;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.protocol.ProtocolOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TensorFlow Serving's REST interface as its documentation describes it, over HTTP. */
class TensorFlowRestTest {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();
  private static ProtocolServer server;

  @BeforeAll
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new IllegalStateException(text, e);
    }
  }

  private static void expect(HttpResponse<String> response, String body) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type")).contains("application/json");
    assertThat(json(response.body())).isEqualTo(json(body));
  }

  /** An error has this status and says each of these. */
  private static void refused(HttpResponse<String> response, int status, String... says) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(response.headers().firstValue("content-type")).contains("application/json");
    JsonNode body = json(response.body());
    assertThat(body.fieldNames()).toIterable().containsExactly("error");
    assertThat(body.get("error").textValue()).contains(says);
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

  @Test
  void predictsRowsAsInTheDocumentation() {
    HttpResponse<String> response =
        server.post("/v1/models/half_plus_three:predict", "{\"instances\": [1.0,2.0,5.0]}");
    expect(response, "{\"predictions\": [3.5, 4.0, 5.5]}");
    assertThat(response.body()).isEqualTo("{\"predictions\":[3.5,4.0,5.5]}");
  }

  @Test
  void predictsColumns() {
    expect(
        server.post("/v1/models/half_plus_three:predict", "{\"inputs\": [1.0,2.0,5.0]}"),
        "{\"outputs\": [3.5, 4.0, 5.5]}");
    expect(
        server.post("/v1/models/half_plus_three:predict", "{\"inputs\": {\"x\": [1.0]}}"),
        "{\"outputs\": [3.5]}");
  }

  @Test
  void predictsNamedRowsAndColumnsOfSeveralInputs() {
    expect(
        server.post(
            "/v1/models/pair:predict",
            """
            {"signature_name": "serving_default",
             "instances": [{"a": [1, 2], "b": 10}, {"b": -1, "a": [0.5, 1e1]}]}\
            """),
        """
        {"predictions": [{"sum": [11.0, 12.0], "twice": 20}, {"sum": [-0.5, 9.0], "twice": -2}]}\
        """);
    expect(
        server.post(
            "/v1/models/pair:predict",
            "{\"inputs\": {\"b\": [10, -1], \"a\": [[1, 2], [0.5, 10]]}}"),
        "{\"outputs\": {\"sum\": [[11.0, 12.0], [-0.5, 9.0]], \"twice\": [20, -2]}}");
  }

  @ParameterizedTest
  @CsvSource({"pets,2", "pets/versions/1,1", "pets/labels/stable,1", "pets/labels/canary,2"})
  void predictsWithTheVersionThatIsAskedFor(String path, long version) {
    server.models.requests.clear();
    expect(
        server.post("/v1/models/" + path + ":predict", "{\"instances\": [[1, 2, 3]]}"),
        "{\"predictions\": [[3.0, 3.0]]}");
    InferenceRequest request = server.models.requests.peek();
    assertThat(server.models.resolve(request.model()).version()).isEqualTo(version);
    assertThat(request.protocol()).isEqualTo("tfs-rest");
  }

  @Test
  void takesAndGivesNumbersThatAreNone() {
    expect(
        server.post(
            "/v1/models/pets:predict", "{\"instances\": [[NaN, 0, Infinity], [0, 0, -Infinity]]}"),
        "{\"predictions\": [[NaN, Infinity], [0.0, -Infinity]]}");
  }

  @Test
  void givesEveryFloatBackWithTheFewestDigits() {
    Random random = new Random(7);
    StringBuilder body = new StringBuilder("{\"instances\":[");
    float[] values = new float[2000];
    for (int i = 0; i < values.length; i++) {
      float v;
      do {
        v = Float.intBitsToFloat(random.nextInt());
      } while (!Float.isFinite(v));
      values[i] = v;
    }
    for (int i = 0; i < values.length; i += 2) {
      body.append(i == 0 ? "" : ",")
          .append('[')
          .append((double) values[i])
          .append(',')
          .append((double) values[i + 1])
          .append(']');
    }
    JsonNode rows =
        json(server.post("/v1/models/echo_FLOAT32:predict", body.append("]}").toString()).body())
            .get("predictions");
    for (int i = 0; i < values.length; i++) {
      String text = rows.get(i / 2).get(i % 2).asText();
      assertThat(Float.parseFloat(text)).isEqualTo(values[i]);
    }
    expect(
        server.post("/v1/models/echo_FLOAT32:predict", "{\"instances\": [[0.1, 16777216]]}"),
        "{\"predictions\": [[0.1, 16777216.0]]}");
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void takesAndGivesEveryType(ElementType type) {
    String values = type == ElementType.BOOL ? "[true, false]" : "[1, 0]";
    String back =
        type == ElementType.BOOL ? "[true, false]" : type.isFloating() ? "[1.0, 0.0]" : "[1, 0]";
    expect(
        server.post("/v1/models/echo_" + type + ":predict", "{\"instances\": [" + values + "]}"),
        "{\"predictions\": [" + back + "]}");
  }

  @Test
  void takesTheLimitsOfIntegersAndNoMore() {
    expect(
        server.post(
            "/v1/models/echo_INT64:predict",
            "{\"instances\": [[9223372036854775807, -9223372036854775808]]}"),
        "{\"predictions\": [[9223372036854775807, -9223372036854775808]]}");
    refused(
        server.post("/v1/models/echo_INT64:predict", "{\"instances\": [[9223372036854775808, 0]]}"),
        400,
        "'x'",
        "DT_INT64",
        "9223372036854775808",
        "[0][0]");
    expect(
        server.post("/v1/models/echo_UINT8:predict", "{\"instances\": [[255, 0]]}"),
        "{\"predictions\": [[255, 0]]}");
    refused(
        server.post("/v1/models/echo_UINT8:predict", "{\"instances\": [[1, 256]]}"),
        400,
        "'x'",
        "DT_UINT8",
        "256",
        "[0][1]");
    refused(
        server.post("/v1/models/echo_INT8:predict", "{\"instances\": [[1, -129]]}"),
        400,
        "DT_INT8",
        "-129");
    refused(
        server.post("/v1/models/echo_INT32:predict", "{\"instances\": [[1, 2.0]]}"),
        400,
        "DT_INT32",
        "2.0",
        "[0][1]");
    refused(
        server.post("/v1/models/echo_FLOAT32:predict", "{\"instances\": [[1, 1e39]]}"),
        400,
        "DT_FLOAT",
        "1e39",
        "[0][1]");
    refused(
        server.post("/v1/models/echo_FLOAT16:predict", "{\"instances\": [[65520, 0]]}"),
        400,
        "DT_HALF",
        "65520");
  }

  @Test
  void takesRowsOfTheTableThatAModelLearntFrom() {
    expect(
        server.post(
            "/v1/models/table:predict",
            "{\"instances\": [{\"age\": 39.5, \"job\": \"cook\"}, {\"job\": null, \"age\": \"7\"},"
                + " {}]}"),
        "{\"predictions\": [[139.5], [7.0], [NaN]]}");
    expect(
        server.post(
            "/v1/models/table:predict",
            "{\"inputs\": {\"job\": [\"cook\", \"clerk\"], \"age\": [1, 2]}}"),
        "{\"outputs\": [[101.0], [2.0]]}");
    expect(
        server.post(
            "/v1/models/table:regress",
            "{\"context\": {\"job\": \"cook\"}, \"examples\": [{\"age\": 1}, {\"age\": 2.5}]}"),
        "{\"results\": [101.0, 102.5]}");
    // Tensors as for any other model.
    for (String rows : new String[] {"[[1, 1]]", "[{\"x\": [1, 1]}]"}) {
      expect(
          server.post("/v1/models/table:predict", "{\"instances\": " + rows + "}"),
          "{\"predictions\": [[101.0]]}");
    }
    expect(
        server.post("/v1/models/table:predict", "{\"inputs\": {\"x\": [[1, 1]]}}"),
        "{\"outputs\": [[101.0]]}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"instances\": [{\"age\": [1]}]}|Row 0, column 'age' takes a string or a number, got a"
            + " list",
        "{\"instances\": [{\"age\": 1}, 2]}|item 1",
        "{\"instances\": [{\"age\": 1, \"age\": 2}]}|twice",
        "{\"inputs\": {\"age\": 1}}|takes a list",
        "{\"inputs\": {\"age\": [1], \"job\": [\"a\", \"b\"]}}|has 2 values, others 1",
        "{\"inputs\": {\"age\": [1, 2], \"job\": [\"a\"]}}|has 1 values, others 2",
        "{\"inputs\": {\"age\": [1], \"age\": [2]}}|twice",
      })
  void saysWhatIsWrongWithRows(String body, String says) {
    refused(server.post("/v1/models/table:predict", body), 400, says);
  }

  @Test
  void keepsManyRowsInOrder() {
    int rows = 50_000;
    StringBuilder body = new StringBuilder("{\"instances\":[");
    for (int i = 0; i < rows; i++) {
      body.append(i == 0 ? "" : ",")
          .append("[")
          .append(i)
          .append(",0,")
          .append(i / 8.0)
          .append(']');
    }
    JsonNode answer =
        json(server.post("/v1/models/pets:predict", body.append("]}").toString()).body())
            .get("predictions");
    assertThat(answer).hasSize(rows);
    for (int i = 0; i < rows; i += 997) {
      assertThat(answer.get(i).get(0).floatValue()).isEqualTo(i);
      assertThat(answer.get(i).get(1).floatValue()).isEqualTo((float) (i / 8.0));
    }
  }

  @Test
  void classifies() {
    expect(
        server.post(
            "/v1/models/pets:classify",
            "{\"examples\": [{\"x\": [1, 2, 0.5]}, {\"x\": [0, 0, 7]}]}"),
        "{\"results\": [[[\"cat\", 3.0], [\"dog\", 0.5]], [[\"cat\", 0.0], [\"dog\", 7.0]]]}");
  }

  @Test
  void regressesAsInTheDocumentation() {
    expect(
        server.post(
            "/v1/models/half_plus_three:regress",
            "{\"signature_name\": \"tensorflow/serving/regress\", \"examples\": [{\"x\": 1.0},"
                + " {\"x\": 2.0}]}"),
        "{\"results\": [3.5, 4.0]}");
  }

  @Test
  void mergesTheContextIntoEveryExample() {
    expect(
        server.post(
            "/v1/models/pair:classify",
            "{\"examples\": [{\"a\": [1, 2]}, {\"a\": [3, 4]}], \"context\": {\"b\": 10}}"),
        "{\"results\": [[[\"\", 11.0], [\"\", 12.0]], [[\"\", 13.0], [\"\", 14.0]]]}");
    refused(
        server.post(
            "/v1/models/pair:classify",
            "{\"examples\": [{\"a\": [1, 2], \"b\": 1}], \"context\": {\"b\": 10}}"),
        400,
        "Example 0",
        "'b'",
        "context");
  }

  @Test
  void refusesExamplesThatDoNotFit() {
    refused(
        server.post("/v1/models/pets:classify", "{\"examples\": [{\"x\": [1, 2]}]}"),
        400,
        "Example 0",
        "'x'",
        "2",
        "3");
    refused(
        server.post("/v1/models/pets:classify", "{\"examples\": [{\"y\": [1, 2, 3]}]}"),
        400,
        "Example 0",
        "'x'",
        "missing");
    refused(
        server.post(
            "/v1/models/pets:classify", "{\"examples\": [{\"x\": {\"b64\": \"aGFsbG8=\"}}]}"),
        400,
        "Example 0",
        "'x'",
        "bytes");
    refused(
        server.post("/v1/models/pets:classify", "{\"examples\": [{\"x\": {\"b64\": \"?\"}}]}"),
        400,
        "base64");
    refused(
        server.post("/v1/models/pets:classify", "{\"examples\": [{\"x\": [1, \"a\", 2]}]}"),
        400,
        "x",
        "strings");
    refused(
        server.post("/v1/models/pets:classify", "{\"examples\": [{\"x\": [[1], 2]}]}"),
        400,
        "x",
        "list");
    refused(server.post("/v1/models/pets:classify", "{\"examples\": []}"), 400, "empty");
    refused(server.post("/v1/models/pets:classify", "{\"examples\": {}}"), 400, "examples");
    refused(server.post("/v1/models/pets:classify", "{}"), 400, "examples");
    refused(server.post("/v1/models/pets:classify", "{\"examples\": [3]}"), 400, "object");
    refused(
        server.post("/v1/models/pets:regress", "{\"examples\": [{\"x\": [1, 2, 3]}]}"),
        400,
        "scores",
        "[1, 2]");
    refused(
        server.post("/v1/models/half_plus_three:classify", "{\"examples\": [{\"x\": 1}]}"),
        400,
        "y",
        "[1]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "|empty",
        "[1]|object",
        "{\"instances\": [[1,2,3]]|JSON Parse error",
        "{\"instances\": [[1,2,3]]} x|JSON Parse error",
        "{\"instances\": [[1,2,3]]} {}|after the end",
        "{}|Missing 'inputs' or 'instances' key",
        "{\"instances\": []}|No values in 'instances' array",
        "{\"instances\": 3}|list/array",
        "{\"instances\": [[1,2,3]], \"inputs\": [[1,2,3]]}|only one of",
        "{\"instances\": [[1,2,3]], \"instances\": [[1,2,3]]}|only one of",
        "{\"signature_name\": 3, \"instances\": [[1,2,3]]}|signature_name",
        "{\"signature_name\": \"other\", \"instances\": [[1,2,3]]}|\"other\" not found in"
            + " signature",
        "{\"signature_name\": \"\", \"signature_name\": \"\", \"instances\": [[1,2,3]]}|twice",
        "{\"instances\": [[1,2,3],[1,2]]}|a list of 2 values beside one of 3, at [1]",
        "{\"instances\": [[1,2,\"a\"]]}|got the string \"a\", at [0][2]",
        "{\"instances\": [[1,2,null]]}|got null, at [0][2]",
        "{\"instances\": [[1,2,[3]]]}|got a list, at [0][2]",
        "{\"instances\": [[1,2,3],4]}|where others have a list, at [1]",
        "{\"instances\": [4,[1,2,3]]}|got a list, at [1]",
        "{\"instances\": [[[]],[1]]}|at [1]",
        "{\"instances\": [[1,2,{\"b64\":\"aa\"}]]}|base64",
        "{\"instances\": [{\"x\":[1,2,3]},[1,2,3]]}|item 1",
        "{\"instances\": [{\"y\":[1,2,3]}]}|named input: y",
        "{\"instances\": [{\"x\":[1,2,3],\"x\":[1,2,3]}]}|twice",
        "{\"instances\": [{}]}|keys must be equal to: x",
        "{\"instances\": [[1,2]]}|[-1, 3]",
        "{\"instances\": [1,2,3]}|[-1, 3]",
        "{\"inputs\": 1}|[-1, 3]",
        "{\"inputs\": {}}|Missing named input: x",
        "{\"inputs\": {\"x\": [[1,2,3]], \"x\": [[1,2,3]]}}|twice",
        "{\"inputs\": {\"z\": [[1,2,3]]}}|z",
        "{\"inputs\": \"a\"}|string",
        "{\"inputs\": null}|null",
      })
  void saysWhatIsWrongWithABody(String body, String says) {
    refused(server.post("/v1/models/pets:predict", body == null ? "" : body), 400, says);
  }

  @Test
  void saysWhichInputsSeveralNeed() {
    refused(
        server.post("/v1/models/pair:predict", "{\"instances\": [1]}"),
        400,
        "a FLOAT32",
        "b INT32");
    refused(
        server.post("/v1/models/pair:predict", "{\"inputs\": [1]}"), 400, "a FLOAT32", "b INT32");
    refused(
        server.post("/v1/models/pair:predict", "{\"inputs\": {\"a\": [[1, 2]], \"b\": [1, 2]}}"),
        400,
        "batch sizes");
    refused(
        server.post("/v1/models/pair:predict", "{\"instances\": [{\"a\": [1, 2]}]}"),
        400,
        "keys must be equal to: a,b");
  }

  @Test
  void refusesWhatIsTooDeepOrTooLong() {
    refused(
        server.post("/v1/models/pets:predict", "{\"instances\": " + "[".repeat(100_000)),
        400,
        "depth");
    refused(
        server.post(
            "/v1/models/pets:predict",
            "{\"instances\": " + "[".repeat(40) + "1" + "]".repeat(40) + "}"),
        400,
        "depth");
    refused(
        server.post("/v1/models/pets:predict", "{\"other\": " + "{\"a\":".repeat(1000) + "1"),
        400,
        "depth");
    refused(
        server.post("/v1/models/pets:predict", "{\"instances\": [[1,2," + "1".repeat(300) + "]]}"),
        400,
        "Number");
    refused(
        server.post("/v1/models/pets:predict", "{\"" + "n".repeat(5000) + "\": 1}"), 400, "Name");
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

  @Test
  void readsCompressedBodies() throws IOException {
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
      gzip.write("{\"instances\": [[1, 2, 3]]}".getBytes(StandardCharsets.UTF_8));
    }
    expect(
        server.send(
            server
                .request("/v1/models/pets:predict")
                .header("content-encoding", "gzip")
                .POST(BodyPublishers.ofByteArray(zipped.toByteArray()))),
        "{\"predictions\": [[3.0, 3.0]]}");
  }
}
