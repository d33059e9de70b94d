package dev.crema.serving;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.crema.data.ArrayPreprocessing;
import dev.crema.memory.Shape;
import dev.crema.nn.Model;
import dev.crema.serving.batching.BatchingInference;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.tensorflow.DataType;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.protocols.tensorflow.TensorShapeProto;
import dev.crema.serving.protocols.tensorflow.serving.ModelSpec;
import dev.crema.serving.protocols.tensorflow.serving.PredictRequest;
import dev.crema.serving.protocols.tensorflow.serving.PredictionServiceGrpc;
import dev.crema.serving.repository.ModelRepository;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A model that learnt from bytes of images is sent bytes, which it gets as it learnt from them. */
@Timeout(60)
class PixelsTest {
  private static final byte[] PIXELS = {(byte) 255, 0, 51, (byte) 204};
  private static final float SUM = 1 + 0.2f + 0.8f;

  @TempDir private Path folder;
  private ModelRepository models;
  private BatchingInference inference;
  private ModelServer server;

  @BeforeEach
  void start() {
    try (Model model = Model.sequential(PIXELS.length).dense(1).build(1)) {
      model.set("dense_1/kernel", new float[] {1, 1, 1, 1});
      model.set("dense_1/bias", new float[] {0});
      model
          .metadata()
          .set(
              "preprocessing",
              new ArrayPreprocessing(Shape.of(PIXELS.length), 1.0 / 255, List.of()).toJson());
      model.save(folder.resolve("image").resolve("1"));
    }
    models = ModelRepository.of(folder).open();
    inference = new BatchingInference(models, new ServingListener() {});
    server =
        ModelServer.builder(models)
            .port(0)
            .endpoint(new Protocols(models, inference, ProtocolOptions.DEFAULT))
            .build()
            .start();
  }

  @AfterEach
  void stop() {
    server.close();
    inference.close();
    models.close();
  }

  private float infer(String datatype, String data) throws IOException, InterruptedException {
    String body =
        "{\"inputs\": [{\"name\": \"x\", \"shape\": [1, 4], \"datatype\": \""
            + datatype
            + "\", \"data\": ["
            + data
            + "]}]}";
    String answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(server.uri().resolve("/v2/models/image/infer"))
                    .POST(BodyPublishers.ofString(body))
                    .build(),
                BodyHandlers.ofString())
            .body();
    int from = answer.indexOf("\"data\":[");
    assertThat(from).as(answer).isPositive();
    return Float.parseFloat(answer.substring(from + 8, answer.indexOf(']', from)));
  }

  @Test
  void bytesAreScaledAndFloatsAreNot() throws Exception {
    assertThat(infer("UINT8", "255, 0, 51, 204")).isEqualTo(SUM);
    assertThat(infer("FP32", "1, 0, 0.2, 0.8")).isEqualTo(SUM);
    assertThat(infer("FP32", "255, 0, 51, 204")).as("as the model computes").isEqualTo(510);
    assertThat(infer("UINT16", "255, 0, 51, 204")).as("no bytes of an image").isEqualTo(510);
  }

  @Test
  void soAreThoseOfGrpc() {
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    try {
      ModelInferRequest.Builder open = ModelInferRequest.newBuilder().setModelName("image");
      open.addInputsBuilder().setName("x").setDatatype("UINT8").addShape(1).addShape(4);
      open.addRawInputContents(ByteString.copyFrom(PIXELS));
      ByteBuffer answer =
          GRPCInferenceServiceGrpc.newBlockingStub(channel)
              .modelInfer(open.build())
              .getRawOutputContents(0)
              .asReadOnlyByteBuffer()
              .order(ByteOrder.LITTLE_ENDIAN);
      assertThat(answer.getFloat()).isEqualTo(SUM);
      TensorProto.Builder tensor =
          TensorProto.newBuilder()
              .setDtype(DataType.DT_UINT8)
              .setTensorContent(ByteString.copyFrom(PIXELS))
              .setTensorShape(
                  TensorShapeProto.newBuilder()
                      .addDim(TensorShapeProto.Dim.newBuilder().setSize(1))
                      .addDim(TensorShapeProto.Dim.newBuilder().setSize(4)));
      assertThat(
              PredictionServiceGrpc.newBlockingStub(channel)
                  .predict(
                      PredictRequest.newBuilder()
                          .setModelSpec(ModelSpec.newBuilder().setName("image"))
                          .putInputs("x", tensor.build())
                          .build())
                  .getOutputsMap()
                  .values()
                  .iterator()
                  .next()
                  .getFloatVal(0))
          .isEqualTo(SUM);
    } finally {
      channel.shutdownNow();
    }
  }
}
