package dev.crema.serving.openinference;

import static dev.crema.serving.RestAnswers.json;
import static dev.crema.serving.RestAnswers.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelInferRequest.InferInputTensor;
import dev.crema.serving.protocols.inference.ModelInferResponse;
import dev.crema.serving.protocols.inference.ModelMetadataRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The columns of a table as inputs of their own. The model gives age + 100 for cooks, NaN without
 * an age.
 */
class OpenInferenceColumnsTest {
  private static final String INFER = "/v2/models/table/infer";
  private static ProtocolServer server;
  private static GRPCInferenceServiceBlockingStub client;

  @BeforeAll
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
    client = GRPCInferenceServiceGrpc.newBlockingStub(server.channel());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static void gives(HttpResponse<String> answer, String data, int rows) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(json(answer.body()).at("/outputs").toString())
        .isEqualTo(
            "[{\"name\":\"y\",\"datatype\":\"FP32\",\"shape\":["
                + rows
                + ",1],\"data\":"
                + data
                + "}]");
  }

  @Test
  void jsonHasStringsAsBytesAndNumbersAsTheirTypes() {
    gives(
        server.post(
            INFER,
            """
            {"inputs": [
              {"name": "age", "shape": [2], "datatype": "FP64", "data": [39.5, 7]},
              {"name": "job", "shape": [2], "datatype": "BYTES", "data": ["cook", "clerk"]}]}"""),
        "[139.5,7.0]",
        2);
  }

  @Test
  void jsonMayBeNestedComeInAnyOrderAndBringColumnsThatTheModelDoesNotKnow() {
    gives(
        server.post(
            INFER,
            """
            {"inputs": [
              {"data": [["cook"], ["cook"]], "shape": [2, 1], "datatype": "BYTES", "name": "job"},
              {"name": "street", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]},
              {"name": "member", "shape": [2], "datatype": "BOOL", "data": [true, false]},
              {"name": "age", "shape": [2, 1], "datatype": "INT8", "data": [[1], [-2]]}]}"""),
        "[101.0,98.0]",
        2);
  }

  @Test
  void numbersMayComeAsStringsAndValuesMayBeMissing() {
    HttpResponse<String> answer =
        server.post(
            INFER,
            """
            {"inputs": [
              {"name": "age", "shape": [2], "datatype": "BYTES", "data": ["39.5", null]},
              {"name": "job", "shape": [2], "datatype": "BYTES", "data": [null, "cook"]}]}""");
    assertThat(answer.body()).contains("\"data\":[39.5,NaN]");
  }

  @Test
  void binaryStringsHaveTheirLengthsBeforeThem() {
    String head =
        """
        {"inputs": [
          {"name": "job", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 13}},
          {"name": "age", "shape": [2, 1], "datatype": "FP32", "parameters": {"binary_data_size": 8}}]}""";
    ByteBuffer data = little(strings("clerk", ""), 8);
    data.putFloat(2).putFloat(0.5f);
    HttpResponse<byte[]> answer = binary(head, data);
    String text = new String(answer.body(), StandardCharsets.UTF_8);
    assertThat(answer.statusCode()).as(text).isEqualTo(200);
    assertThat(json(text).at("/outputs/0/data").toString()).isEqualTo("[2.0,0.5]");
  }

  @Test
  void binaryStringsThatDoNotAddUpAreRefused() {
    String head =
        "{\"inputs\": [{\"name\": \"job\", \"shape\": [2], \"datatype\": \"BYTES\", \"parameters\":"
            + " {\"binary_data_size\": SIZE}}]}";
    refusedBinary(head, strings("clerk"), "'job'", "ends after 1 of 2 strings");
    refusedBinary(head, strings("a", "b", "c"), "5 bytes after its 2 strings");
    byte[] cut = strings("a", "bcdef");
    refusedBinary(
        head,
        Arrays.copyOf(cut, cut.length - 1),
        "a string of 5 bytes at row 1, but only 4 bytes follow");
    refusedBinary(
        head,
        new byte[] {-1, -1, -1, -1, 0},
        "a string of 4294967295 bytes at row 0, but only 1 bytes follow");
    refusedBinary(head, new byte[] {1, 0, 0, 0, (byte) 0xff, 0, 0, 0, 0}, "not UTF-8");
    refusedBinary(
        head.replace("[2]", "[9223372036854775807]"), strings("a"), "more than 8388608 rows");
    refusedBinary(
        head.replace("[2]", "[9223372036854775807]").replace("BYTES", "FP64"),
        new byte[8],
        "more than 8388608 rows");
    refusedBinary(head.replace("BYTES", "FP64"), new byte[8], "takes 2 elements of FP64, got 8");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[1]|BYTES|[7]|has 7 at row 0, which is none of BYTES",
        "[1]|FP32|[\"7\"]|has the string \"7\" at row 0, which is none of FP32",
        "[1]|BOOL|[0]|which is none of BOOL",
        "[1]|INT8|[128]|has 128 at row 0, which is none of INT8",
        "[1]|UINT8|[-1]|which is none of UINT8",
        "[1]|UINT64|[18446744073709551616]|which is none of UINT64",
        "[1]|INT32|[1.5]|which is none of INT32",
        "[1]|TEXT|[\"a\"]|data-type is 'TEXT', which is none of the protocol's",
        "[2]|FP32|[1]|takes 2 elements, got 1",
        "[1, 2]|FP32|[1, 2]|takes [n] or [n, 1]",
        "[-1]|FP32|[1]|takes [n] or [n, 1]",
        "[]|FP32|[1]|takes [n] or [n, 1]",
        "[0]|FP32|[]|have no rows",
        "[1]|FP32|[{}]|an object",
      })
  void saysWhatIsWrongWithAColumn(String shape, String datatype, String data, String says) {
    String body =
        "{\"inputs\": [{\"name\": \"age\", \"shape\": "
            + shape
            + ", \"datatype\": \""
            + datatype
            + "\", \"data\": "
            + data
            + "}]}";
    refused(server.post(INFER, body), 400, says);
  }

  @Test
  void saysWhatIsWrongWithTheWhole() {
    String age = "{\"name\": \"age\", \"shape\": [1], \"datatype\": \"FP32\", \"data\": [1]}";
    String two = age.replace("[1]", "[2]").replace(": [2]}", ": [1, 2]}").replace("age", "job");
    String x = "{\"name\": \"x\", \"shape\": [1, 2], \"datatype\": \"FP32\", \"data\": [1, 2]}";
    refused(inputs(age, age), 400, "'age' is given twice");
    refused(inputs(age, two), 400, "'job' has 2 rows, 'age' has 1");
    refused(inputs(age, x), 400, "either", "columns [age, job]");
    refused(inputs(), 400, "'x' is missing", "columns [age, job]");
    refused(inputs(age.replace("\"datatype\": \"FP32\", ", "")), 400, "'age' has no 'datatype'");
    refused(inputs(age.replace(", \"data\": [1]", "")), 400, "either 'data' or");
    refused(inputs(age.replace("[1]}", "[1")), 400, "JSON Parse error");
    assertThat(inputs(x).statusCode()).isEqualTo(200);
    refused(
        server.post(
            "/v2/models/pets/infer",
            "{\"inputs\": [{\"name\": \"x\", \"shape\": [1], \"datatype\": \"BYTES\", \"data\":"
                + " [\"a\"]}]}"),
        400,
        "'BYTES'",
        "'FP32'");
  }

  private static HttpResponse<String> inputs(String... inputs) {
    return server.post(INFER, "{\"inputs\": [" + String.join(", ", inputs) + "]}");
  }

  @Test
  void metadataAndOpenApiNameTheColumns() {
    assertThat(json(server.get("/v2/models/table").body()).get("properties"))
        .isEqualTo(json("{\"column.age\": \"numeric\", \"column.job\": \"categorical\"}"));
    assertThat(json(server.get("/v2/models/pets").body()).has("properties")).isFalse();
    assertThat(
            client
                .modelMetadata(ModelMetadataRequest.newBuilder().setName("table").build())
                .getPropertiesMap())
        .isEqualTo(Map.of("column.age", "numeric", "column.job", "categorical"));
    assertThat(
            json(server.get("/openapi.json").body())
                .at("/components/schemas/table.InferRequest/properties/inputs/items/oneOf")
                .findValuesAsText("const"))
        .containsExactly("x", "age", "job");
  }

  @Test
  void grpcTakesBytesContents() {
    ModelInferResponse answer =
        client.modelInfer(
            table()
                .addInputs(
                    input("age", "INT64", 2)
                        .setContents(
                            InferTensorContents.newBuilder()
                                .addInt64Contents(1)
                                .addInt64Contents(2)))
                .addInputs(
                    input("job", "BYTES", 2)
                        .setContents(
                            InferTensorContents.newBuilder()
                                .addBytesContents(ByteString.copyFromUtf8("cook"))
                                .addBytesContents(ByteString.copyFromUtf8("Köchin"))))
                .build());
    assertThat(answer.getOutputs(0).getContents().getFp32ContentsList()).containsExactly(101f, 2f);
    assertThat(server.models.requests)
        .last()
        .satisfies(r -> assertThat(r.rows().get(1)).containsEntry("job", "Köchin"));
  }

  @Test
  void grpcTakesRawContents() {
    ModelInferResponse answer =
        client.modelInfer(
            table()
                .addInputs(input("job", "BYTES", 2, 1))
                .addInputs(input("age", "FP64", 2, 1))
                .addRawInputContents(ByteString.copyFrom(strings("cook", "clerk")))
                .addRawInputContents(
                    ByteString.copyFrom(
                        little(new byte[0], 16).putDouble(1.5).putDouble(3).array()))
                .build());
    assertThat(answer.getRawOutputContents(0).asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN))
        .satisfies(
            raw ->
                assertThat(new float[] {raw.getFloat(), raw.getFloat()})
                    .containsExactly(101.5f, 3));
  }

  @Test
  void grpcSaysWhatIsWrong() {
    InferInputTensor.Builder job = input("job", "BYTES", 2);
    refusedGrpc(table().addInputs(job).addRawInputContents(bytes(1, 0, 0, 0)), "1 bytes at row 0");
    refusedGrpc(
        table()
            .addInputs(
                job.clone()
                    .setContents(InferTensorContents.newBuilder().addBytesContents(bytes(0xc3)))),
        "not UTF-8");
    refusedGrpc(
        table()
            .addInputs(
                job.clone().setContents(InferTensorContents.newBuilder().addFp32Contents(1))),
        "takes 2 elements, got 0");
    refusedGrpc(
        table()
            .addInputs(
                input("age", "INT8", 1)
                    .setContents(InferTensorContents.newBuilder().addIntContents(128))),
        "'age' has the value 128");
    refusedGrpc(
        table().addInputs(input("age", "FP16", 1).setContents(InferTensorContents.newBuilder())),
        "must be sent as raw_input_contents");
  }

  private static void refusedGrpc(ModelInferRequest.Builder request, String says) {
    StatusRuntimeException e =
        catchThrowableOfType(
            StatusRuntimeException.class, () -> client.modelInfer(request.build()));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(e.getStatus().getDescription()).contains(says);
  }

  private static ModelInferRequest.Builder table() {
    return ModelInferRequest.newBuilder().setModelName("table");
  }

  private static InferInputTensor.Builder input(String name, String datatype, long... shape) {
    InferInputTensor.Builder input =
        InferInputTensor.newBuilder().setName(name).setDatatype(datatype);
    Arrays.stream(shape).forEach(input::addShape);
    return input;
  }

  private static ByteString bytes(int... bytes) {
    byte[] all = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      all[i] = (byte) bytes[i];
    }
    return ByteString.copyFrom(all);
  }

  /** Each with its length before it, in four bytes. */
  private static byte[] strings(String... strings) {
    ByteBuffer data = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    for (String s : strings) {
      byte[] utf8 = s.getBytes(StandardCharsets.UTF_8);
      data.putInt(utf8.length).put(utf8);
    }
    return Arrays.copyOf(data.array(), data.position());
  }

  private static ByteBuffer little(byte[] first, int more) {
    return ByteBuffer.allocate(first.length + more).order(ByteOrder.LITTLE_ENDIAN).put(first);
  }

  private static HttpResponse<byte[]> binary(String head, ByteBuffer data) {
    byte[] json = head.getBytes(StandardCharsets.UTF_8);
    ByteBuffer body = ByteBuffer.allocate(json.length + data.capacity());
    body.put(json).put(data.array());
    return server.postBytes(
        INFER, body.array(), "Inference-Header-Content-Length", Integer.toString(json.length));
  }

  private static void refusedBinary(String head, byte[] data, String... says) {
    String sized = head.replace("SIZE", Integer.toString(data.length));
    HttpResponse<byte[]> answer = binary(sized, ByteBuffer.wrap(data));
    String text = new String(answer.body(), StandardCharsets.UTF_8);
    assertThat(answer.statusCode()).as(text).isEqualTo(400);
    assertThat(json(text).get("error").textValue()).contains(says);
  }
}
