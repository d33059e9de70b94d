package dev.crema.serving.tensorflow;

import static dev.crema.serving.RestAnswers.refused;

import dev.crema.serving.ProtocolServer;
import dev.crema.serving.protocol.ProtocolOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What TensorFlow Serving's {@code :predict} says of bodies that are wrong. */
class TensorFlowErrorsRestTest {
  private static ProtocolServer server;

  @BeforeAll
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
  }

  @AfterAll
  static void stop() {
    server.close();
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
}
