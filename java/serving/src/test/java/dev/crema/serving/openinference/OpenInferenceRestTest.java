package dev.crema.serving.openinference;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.crema.memory.HalfPrecision;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.protocol.ProtocolOptions;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The Open Inference Protocol over REST as its specification and Triton's extensions describe it.
 */
class OpenInferenceRestTest {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();
  private static final String X =
      "{\"inputs\": [{\"name\": \"x\", \"shape\": [1, 3], \"datatype\": \"FP32\", \"data\": [1, 2, 3]}]}";
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

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new IllegalStateException(text, e);
    }
  }

  private static void expect(HttpResponse<String> response, String body) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(json(response.body())).isEqualTo(json(body));
  }

  private static void refused(HttpResponse<String> response, int status, String... says) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    JsonNode body = json(response.body());
    assertThat(body.fieldNames()).toIterable().containsExactly("error");
    assertThat(body.get("error").textValue()).isNotEmpty();
    for (String s : says) {
      assertThat(body.get("error").textValue()).contains(s);
    }
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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "|empty",
        "[]|object",
        "{|JSON Parse error",
        "{}|no 'inputs'",
        "{\"inputs\": 1}|list",
        "{\"inputs\": [1]}|object",
        "{\"inputs\": []}|'x' is missing",
        "{\"inputs\": [], \"inputs\": []}|twice",
        "{\"id\": 7, \"inputs\": []}|'id'",
        "{\"parameters\": 7, \"inputs\": []}|'parameters'",
        "{\"inputs\": [{\"shape\": [1,3], \"datatype\": \"FP32\", \"data\": [1,2,3]}]}|no 'name'",
        "{\"inputs\": [{\"name\": \"z\", \"shape\": [1,3], \"datatype\": \"FP32\", \"data\": [1,2,3]}]}|'z'",
        "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"data\": [1,2,3]}]}|no 'shape'",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"data\": [1,2,3]}]}|no 'datatype'",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\"}]}|either 'data'",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"data\": 1}]}|list",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"data\": [1,2]}]}|takes 3 elements of FP32, got 8 bytes",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"data\": [[1],[2],[3]]}]}|nested as [3, 1]",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,\"3\"], \"datatype\": \"FP32\", \"data\": [1,2,3]}]}|whole numbers",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1.5,3], \"datatype\": \"FP32\", \"data\": [1,2,3]}]}|whole numbers",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [-1,-3], \"datatype\": \"FP32\", \"data\": [1,2,3]}]}|negative",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [3037000500,3037000500], \"datatype\": \"FP32\", \"data\": [1,2,3]}]}|too big",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1000000000,3], \"datatype\": \"FP32\", \"data\": [1,2,3]}]}|takes 3000000000 elements",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"data\": [1,2,\"a\"]}]}|at [2]",
        "{\"inputs\": [{\"data\": [1,2,\"a\"], \"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\"}]}|at [2]",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"data\": [1,2,3]},{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"data\": [1,2,3]}]}|twice",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,4], \"datatype\": \"FP32\", \"data\": [1,2,3,4]}]}|[-1, 3]",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"parameters\": {\"binary_data_size\": 12}}]}|only 0 bytes follow",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"parameters\": {\"binary_data_size\": \"12\"}}]}|binary_data_size",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"parameters\": {\"binary_data_size\": -1}}]}|binary_data_size",
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1,3], \"datatype\": \"FP32\", \"parameters\": {\"binary_data_size\": 12}, \"data\": [1,2,3]}]}|not both",
      })
  void saysWhatIsWrongWithABody(String body, String says) {
    refused(server.post("/v2/models/pets/infer", body == null ? "" : body), 400, says);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"outputs\": [{\"name\": \"other\"}]",
        "\"outputs\": [{\"name\": \"scores\"}, {\"name\": \"scores\"}]",
        "\"outputs\": [{}]",
        "\"outputs\": 3",
        "\"outputs\": [{\"name\": \"scores\", \"parameters\": {\"binary_data\": 1}}]",
        "\"outputs\": [{\"name\": \"scores\", \"parameters\": {\"classification\": 0}}]",
        "\"parameters\": {\"binary_data_output\": \"yes\"}",
        "\"parameters\": {\"timeout\": -3}",
        "\"parameters\": {\"priority\": \"high\"}",
      })
  void refusesOutputsAndParametersThatMeanNothing(String more) {
    refused(
        server.post("/v2/models/pets/infer", X.replace("{\"inputs\"", "{" + more + ", \"inputs\"")),
        400);
  }

  @Test
  void takesBinaryInputsAndGivesBinaryOutputs() {
    String json =
        """
        {"parameters": {"binary_data_output": true},
         "inputs": [
          {"name": "b", "shape": [2], "datatype": "INT32", "parameters": {"binary_data_size": 8}},
          {"name": "a", "shape": [2, 2], "datatype": "FP32", "parameters": {"binary_data_size": 16}}]}""";
    ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    data.putInt(10).putInt(20).putFloat(1).putFloat(2).putFloat(3).putFloat(4);
    HttpResponse<byte[]> response =
        server.postBytes(
            "/v2/models/pair/infer", join(json, data.array()),
            "Inference-Header-Content-Length", Integer.toString(json.length()),
            "content-type", "application/octet-stream");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type")).contains("application/octet-stream");
    int length =
        Integer.parseInt(
            response.headers().firstValue("inference-header-content-length").orElseThrow());
    assertThat(json(new String(response.body(), 0, length, StandardCharsets.UTF_8)))
        .isEqualTo(
            json(
                """
                {"model_name": "pair", "model_version": "1",
                 "outputs": [
                  {"name": "sum", "datatype": "FP32", "shape": [2, 2],
                   "parameters": {"binary_data_size": 16}},
                  {"name": "twice", "datatype": "INT64", "shape": [2],
                   "parameters": {"binary_data_size": 16}}]}"""));
    ByteBuffer out =
        ByteBuffer.wrap(response.body(), length, response.body().length - length)
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
    assertThat(out.remaining()).isEqualTo(32);
    assertThat(new float[] {out.getFloat(), out.getFloat(), out.getFloat(), out.getFloat()})
        .containsExactly(11, 12, 23, 24);
    assertThat(new long[] {out.getLong(), out.getLong()}).containsExactly(20, 40);
  }

  @Test
  void mixesBinaryAndJson() {
    String json =
        """
        {"inputs": [
          {"name": "a", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}},
          {"name": "b", "shape": [1], "datatype": "INT32", "data": [10]}],
         "outputs": [{"name": "sum"}, {"name": "twice", "parameters": {"binary_data": true}}]}""";
    byte[] data =
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(1).putFloat(2).array();
    HttpResponse<byte[]> response =
        server.postBytes(
            "/v2/models/pair/infer", join(json, data),
            "Inference-Header-Content-Length", Integer.toString(json.length()));
    int length =
        Integer.parseInt(
            response.headers().firstValue("inference-header-content-length").orElseThrow());
    assertThat(
            json(new String(response.body(), 0, length, StandardCharsets.UTF_8))
                .at("/outputs/0/data")
                .toString())
        .isEqualTo("[11.0,12.0]");
    assertThat(ByteBuffer.wrap(response.body(), length, 8).order(ByteOrder.LITTLE_ENDIAN).getLong())
        .isEqualTo(20);
  }

  @Test
  void carriesBigTensorsBitForBit() {
    int rows = 1_000_000;
    String json =
        "{\"parameters\": {\"binary_data_output\": true}, \"inputs\": [{\"name\": \"x\", \"shape\": ["
            + rows
            + ", 2], \"datatype\": \"FP32\", \"parameters\": {\"binary_data_size\": "
            + 8 * rows
            + "}}]}";
    byte[] data = new byte[8 * rows];
    new java.util.Random(3).nextBytes(data);
    HttpResponse<byte[]> response =
        server.postBytes(
            "/v2/models/echo_FLOAT32/infer", join(json, data),
            "Inference-Header-Content-Length", Integer.toString(json.length()));
    assertThat(response.statusCode()).isEqualTo(200);
    int length =
        Integer.parseInt(
            response.headers().firstValue("inference-header-content-length").orElseThrow());
    assertThat(Arrays.equals(response.body(), length, length + data.length, data, 0, data.length))
        .isTrue();
    assertThat(response.body()).hasSize(length + data.length);
  }

  @Test
  void widensBinaryHalves() {
    String json =
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1, 2], \"datatype\": \"FP16\", \"parameters\": {\"binary_data_size\": 4}}]}";
    byte[] data =
        ByteBuffer.allocate(4)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putShort(HalfPrecision.toFloat16(0.333f))
            .putShort(HalfPrecision.toFloat16(-65504))
            .array();
    HttpResponse<byte[]> response =
        server.postBytes(
            "/v2/models/echo_FLOAT32/infer", join(json, data),
            "Inference-Header-Content-Length", Integer.toString(json.length()));
    float third = HalfPrecision.fromFloat16(HalfPrecision.toFloat16(0.333f));
    JsonNode values =
        json(new String(response.body(), StandardCharsets.UTF_8)).at("/outputs/0/data");
    assertThat((float) values.get(0).doubleValue()).isEqualTo(third);
    assertThat(values.get(1).doubleValue()).isEqualTo(-65504);
  }

  @Test
  void refusesBinaryDataThatDoesNotAddUp() {
    String json =
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1, 3], \"datatype\": \"FP32\", \"parameters\": {\"binary_data_size\": 12}}]}";
    String n = Integer.toString(json.length());
    refusedBytes(join(json, new byte[11]), n, "12", "11 bytes follow");
    refusedBytes(join(json, new byte[13]), n, "1 bytes after");
    refusedBytes(join(json, new byte[12]), Integer.toString(json.length() - 1), "JSON Parse error");
    refusedBytes(
        join(json, new byte[12]),
        Integer.toString(json.length() + 13),
        "inference-header-content-length");
    refusedBytes(join(json, new byte[12]), "-1", "inference-header-content-length");
    refusedBytes(join(json, new byte[12]), "x", "inference-header-content-length");
    String odd = json.replace(": 12}", ": 13}");
    refusedBytes(join(odd, new byte[13]), n, "'x'", "3 elements", "13 bytes");
  }

  private static void refusedBytes(byte[] body, String length, String... says) {
    HttpResponse<byte[]> response =
        server.postBytes("/v2/models/pets/infer", body, "inference-header-content-length", length);
    String text = new String(response.body(), StandardCharsets.UTF_8);
    assertThat(response.statusCode()).as(text).isEqualTo(400);
    assertThat(json(text).get("error").textValue()).contains(says);
  }

  private static byte[] join(String json, byte[] data) {
    byte[] head = json.getBytes(StandardCharsets.UTF_8);
    byte[] body = Arrays.copyOf(head, head.length + data.length);
    System.arraycopy(data, 0, body, head.length, data.length);
    return body;
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
        .contains("/v1/models/pets:predict", "/v2/models/pair/infer", "/v2/health/ready")
        .doesNotContain("/v1/models/down:predict");
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
