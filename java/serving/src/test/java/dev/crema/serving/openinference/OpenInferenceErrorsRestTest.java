package dev.crema.serving.openinference;

import static dev.crema.serving.RestAnswers.refused;

import dev.crema.serving.ProtocolServer;
import dev.crema.serving.protocol.ProtocolOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the Open Inference Protocol says of bodies that are wrong. */
class OpenInferenceErrorsRestTest {
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
}
