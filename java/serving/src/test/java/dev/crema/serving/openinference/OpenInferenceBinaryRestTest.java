package dev.crema.serving.openinference;

import static dev.crema.serving.RestAnswers.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.memory.HalfPrecision;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.protocol.ProtocolOptions;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The binary tensor extension: JSON, and after it the data of tensors. */
class OpenInferenceBinaryRestTest {
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
}
