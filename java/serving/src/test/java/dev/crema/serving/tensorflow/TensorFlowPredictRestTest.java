package dev.crema.serving.tensorflow;

import static dev.crema.serving.RestAnswers.expect;
import static dev.crema.serving.RestAnswers.json;
import static dev.crema.serving.RestAnswers.refused;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.protocol.ProtocolOptions;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * TensorFlow Serving's {@code :predict} over REST, rows and columns, as its documentation describes
 * it.
 */
class TensorFlowPredictRestTest {
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
}
