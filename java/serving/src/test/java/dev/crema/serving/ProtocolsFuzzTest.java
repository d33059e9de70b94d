package dev.crema.serving;

import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.RequestHeaders;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelInferRequest.InferInputTensor;
import dev.crema.serving.protocols.tensorflow.DataType;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.protocols.tensorflow.TensorShapeProto;
import dev.crema.serving.protocols.tensorflow.serving.ModelSpec;
import dev.crema.serving.protocols.tensorflow.serving.PredictRequest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Whatever is sent, a server answers, says that it was the client's fault, and goes on. */
class ProtocolsFuzzTest extends FuzzedServer {
  private static final List<String> PATHS =
      List.of(
          "/v1/models/pets:predict",
          "/v1/models/pair/versions/1:predict",
          "/v1/models/pets/labels/stable:classify",
          "/v1/models/half_plus_three:regress",
          "/v1/models/pets/metadata",
          "/v2/models/pair/infer",
          "/v2/models/pets/versions/1/infer",
          "/v2/repository/index",
          "/v2/repository/models/pets/load");
  private static final List<String> BODIES =
      List.of(
          "{\"instances\": [[1, 2, 3], [4, 5, 6]]}",
          "{\"inputs\": {\"a\": [[1, 2]], \"b\": [3]}}",
          "{\"examples\": [{\"x\": [1, 2, 3]}], \"context\": {}}",
          "{\"inputs\": [{\"name\": \"x\", \"shape\": [1, 3], \"datatype\": \"FP32\", \"data\": [1,"
              + " 2, 3]}]}",
          "{\"ready\": true}");

  @Property(tries = 400)
  void rest(@ForAll long seed) {
    Random random = new Random(seed);
    String path = PATHS.get(random.nextInt(PATHS.size()));
    if (random.nextInt(4) == 0) {
      String mutated =
          new String(
              Mutations.of(path.getBytes(StandardCharsets.US_ASCII), random),
              StandardCharsets.ISO_8859_1);
      path = "/" + mutated.replaceAll("[^!-~]|[#?%]", "%21").replaceAll("^/+", "");
    }
    byte[] body =
        Mutations.of(
            BODIES.get(random.nextInt(BODIES.size())).getBytes(StandardCharsets.UTF_8), random);
    RequestHeaders headers =
        RequestHeaders.builder(random.nextInt(8) == 0 ? HttpMethod.PUT : HttpMethod.POST, path)
            .add("content-type", "application/json")
            .add(
                "inference-header-content-length",
                random.nextBoolean() ? "12" : Integer.toString(body.length))
            .add(random.nextInt(6) == 0 ? "content-encoding" : "x-other", "gzip")
            .build();
    AggregatedHttpResponse answer = http1.execute(headers, body).aggregate().join();
    assertThat(answer.status().code()).as("%s %s", path, answer.contentUtf8()).isLessThan(500);
  }

  private static final PredictRequest PREDICT =
      PredictRequest.newBuilder()
          .setModelSpec(ModelSpec.newBuilder().setName("pets"))
          .putInputs(
              "x",
              TensorProto.newBuilder()
                  .setDtype(DataType.DT_FLOAT)
                  .setTensorShape(
                      TensorShapeProto.newBuilder()
                          .addDim(TensorShapeProto.Dim.newBuilder().setSize(1))
                          .addDim(TensorShapeProto.Dim.newBuilder().setSize(3)))
                  .addFloatVal(1)
                  .build())
          .build();
  private static final ModelInferRequest INFER =
      ModelInferRequest.newBuilder()
          .setModelName("pets")
          .addInputs(
              InferInputTensor.newBuilder()
                  .setName("x")
                  .setDatatype("FP32")
                  .addShape(1)
                  .addShape(3)
                  .setContents(
                      InferTensorContents.newBuilder()
                          .addFp32Contents(1)
                          .addFp32Contents(2)
                          .addFp32Contents(3)))
          .build();

  @Property(tries = 400)
  void grpc(@ForAll long seed) {
    Random random = new Random(seed);
    boolean predict = random.nextBoolean();
    byte[] message = Mutations.of((predict ? PREDICT : INFER).toByteArray(), random);
    boolean compressed = random.nextInt(16) == 0;
    int length = random.nextInt(16) == 0 ? random.nextInt() : message.length;
    AggregatedHttpResponse answer =
        call(
            predict
                ? "tensorflow.serving.PredictionService/Predict"
                : "inference.GRPCInferenceService/ModelInfer",
            frame(compressed, length, message).array());
    // 13 and 2 are gRPC's own for a frame that is none: compressed without compression, cut off.
    boolean framed = !compressed && length == message.length;
    assertThat(
            framed
                ? List.of("0", "3", "5", "8", "12")
                : List.of("0", "2", "3", "5", "8", "12", "13"))
        .as(answer.toString())
        .contains(code(answer));
  }
}
