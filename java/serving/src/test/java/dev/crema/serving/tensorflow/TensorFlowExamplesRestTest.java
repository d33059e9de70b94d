package dev.crema.serving.tensorflow;

import static dev.crema.serving.RestAnswers.expect;
import static dev.crema.serving.RestAnswers.refused;

import dev.crema.serving.ProtocolServer;
import dev.crema.serving.protocol.ProtocolOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** TensorFlow Serving's {@code :classify} and {@code :regress} over REST. */
class TensorFlowExamplesRestTest {
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
}
