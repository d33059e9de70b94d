package dev.crema.serving;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crema.serving.batching.BatchingInference;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelInferRequest.InferInputTensor;
import dev.crema.serving.protocols.tensorflow.DataType;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.protocols.tensorflow.TensorShapeProto;
import dev.crema.serving.protocols.tensorflow.serving.ModelSpec;
import dev.crema.serving.protocols.tensorflow.serving.PredictRequest;
import dev.crema.serving.protocols.tensorflow.serving.PredictionServiceGrpc;
import dev.crema.serving.repository.ModelRepository;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every protocol on one port, in front of a repository of saved models and its batching. */
class ProtocolsServeModelsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private final HttpClient http = HttpClient.newHttpClient();

  @TempDir Path folder;

  private JsonNode post(URI server, String path, String body, int status) throws Exception {
    HttpResponse<String> response =
        http.send(
            HttpRequest.newBuilder(server.resolve(path))
                .POST(BodyPublishers.ofString(body))
                .build(),
            BodyHandlers.ofString());
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    return JSON.readTree(response.body());
  }

  @Test
  void answersTheSameByEveryProtocol() throws Exception {
    Served.adder(folder, "adder", 1);
    try (ModelRepository models = ModelRepository.of(folder).open();
        BatchingInference inference =
            new BatchingInference(models, ProtocolOptions.DEFAULT.listener());
        ModelServer server =
            ModelServer.builder(models)
                .port(0)
                .endpoint(new Protocols(models, inference, ProtocolOptions.DEFAULT))
                .build()
                .start()) {
      String rows = "{\"instances\": [[1, 2, 3, 4], [0, 0, 0, 0.5]]}";
      assertThat(post(server.uri(), "/v1/models/adder:predict", rows, 200).toString())
          .isEqualTo("{\"predictions\":[[1010.0],[1000.5]]}");
      String tensors =
          "{\"inputs\": [{\"name\": \"x\", \"shape\": [2, 4], \"datatype\": \"FP32\", \"data\": [1,"
              + " 2, 3, 4, 0, 0, 0, 0.5]}]}";
      assertThat(
              post(server.uri(), "/v2/models/adder/infer", tensors, 200)
                  .at("/outputs/0/data")
                  .toString())
          .isEqualTo("[1010.0,1000.5]");
      byGrpc(server);

      // A wrong shape is the client's fault, and said so.
      assertThat(
              post(server.uri(), "/v1/models/adder:predict", "{\"instances\": [[1, 2, 3]]}", 400)
                  .get("error")
                  .textValue())
          .contains("x");
      post(server.uri(), "/v1/models/adder/versions/2:predict", rows, 404);

      // A new version; and none at all.
      Served.adder(folder, "adder", 2);
      models.load("adder");
      assertThat(post(server.uri(), "/v1/models/adder:predict", rows, 200).toString())
          .isEqualTo("{\"predictions\":[[2010.0],[2000.5]]}");
      models.unload("adder");
      post(server.uri(), "/v1/models/adder:predict", rows, 404);
    }
  }

  private static void byGrpc(ModelServer server) {
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    try {
      InferTensorContents.Builder four = InferTensorContents.newBuilder();
      TensorProto.Builder tensor =
          TensorProto.newBuilder()
              .setDtype(DataType.DT_FLOAT)
              .setTensorShape(
                  TensorShapeProto.newBuilder()
                      .addDim(TensorShapeProto.Dim.newBuilder().setSize(1))
                      .addDim(TensorShapeProto.Dim.newBuilder().setSize(4)));
      for (float v : new float[] {1, 2, 3, 4}) {
        four.addFp32Contents(v);
        tensor.addFloatVal(v);
      }
      assertThat(
              GRPCInferenceServiceGrpc.newBlockingStub(channel)
                  .modelInfer(
                      ModelInferRequest.newBuilder()
                          .setModelName("adder")
                          .addInputs(
                              InferInputTensor.newBuilder()
                                  .setName("x")
                                  .setDatatype("FP32")
                                  .addShape(1)
                                  .addShape(4)
                                  .setContents(four))
                          .build())
                  .getOutputs(0)
                  .getContents()
                  .getFp32ContentsList())
          .containsExactly(1010f);
      assertThat(
              PredictionServiceGrpc.newBlockingStub(channel)
                  .predict(
                      PredictRequest.newBuilder()
                          .setModelSpec(ModelSpec.newBuilder().setName("adder"))
                          .putInputs("x", tensor.build())
                          .build())
                  .getOutputsMap()
                  .values()
                  .iterator()
                  .next()
                  .getFloatValList())
          .containsExactly(1010f);
    } finally {
      channel.shutdownNow();
    }
  }
}
