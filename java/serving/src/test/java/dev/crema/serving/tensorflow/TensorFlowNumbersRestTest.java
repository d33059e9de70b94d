package dev.crema.serving.tensorflow;

import static dev.crema.serving.RestAnswers.expect;
import static dev.crema.serving.RestAnswers.json;
import static dev.crema.serving.RestAnswers.refused;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.memory.ElementType;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.protocol.ProtocolOptions;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Numbers of every type go through TensorFlow Serving's REST interface unchanged, or are refused.
 */
class TensorFlowNumbersRestTest {
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
}
