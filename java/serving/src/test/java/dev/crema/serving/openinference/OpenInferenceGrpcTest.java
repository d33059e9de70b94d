package dev.crema.serving.openinference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import dev.crema.serving.protocols.inference.InferParameter;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelInferRequest.InferInputTensor;
import dev.crema.serving.protocols.inference.ModelInferRequest.InferRequestedOutputTensor;
import dev.crema.serving.protocols.inference.ModelInferResponse;
import dev.crema.serving.protocols.inference.ModelMetadataRequest;
import dev.crema.serving.protocols.inference.ModelMetadataResponse;
import dev.crema.serving.protocols.inference.ModelReadyRequest;
import dev.crema.serving.protocols.inference.ModelStreamInferResponse;
import dev.crema.serving.protocols.inference.RepositoryIndexRequest;
import dev.crema.serving.protocols.inference.RepositoryIndexResponse.ModelIndex;
import dev.crema.serving.protocols.inference.RepositoryModelLoadRequest;
import dev.crema.serving.protocols.inference.RepositoryModelUnloadRequest;
import dev.crema.serving.protocols.inference.ServerLiveRequest;
import dev.crema.serving.protocols.inference.ServerMetadataRequest;
import dev.crema.serving.protocols.inference.ServerReadyRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The Open Inference Protocol's gRPC service, with the client that its definitions make. */
class OpenInferenceGrpcTest {
  private static ProtocolServer server;
  private static ProtocolServer admin;
  private static GRPCInferenceServiceBlockingStub client;

  @BeforeAll
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
    admin = new ProtocolServer(ProtocolOptions.DEFAULT.withAdmin(true));
    client = GRPCInferenceServiceGrpc.newBlockingStub(server.channel());
  }

  @AfterAll
  static void stop() {
    server.close();
    admin.close();
  }

  private static InferInputTensor.Builder input(String name, String datatype, long... shape) {
    InferInputTensor.Builder input =
        InferInputTensor.newBuilder().setName(name).setDatatype(datatype);
    Arrays.stream(shape).forEach(input::addShape);
    return input;
  }

  private static ModelInferRequest.Builder pets(float... x) {
    InferTensorContents.Builder contents = InferTensorContents.newBuilder();
    for (float v : x) {
      contents.addFp32Contents(v);
    }
    return ModelInferRequest.newBuilder()
        .setModelName("pets")
        .addInputs(input("x", "FP32", x.length / 3, 3).setContents(contents));
  }

  private static ByteString little(float... values) {
    ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float v : values) {
      data.putFloat(v);
    }
    return ByteString.copyFrom(data.flip());
  }

  private static void refused(Status.Code code, ThrowingCallable call, String... says) {
    StatusRuntimeException e = catchThrowableOfType(StatusRuntimeException.class, call);
    assertThat(e).isNotNull();
    assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code);
    assertThat(e.getStatus().getDescription()).contains(says);
  }

  @Test
  void tellsAboutTheServerAndModels() {
    assertThat(client.serverLive(ServerLiveRequest.getDefaultInstance()).getLive()).isTrue();
    assertThat(client.serverReady(ServerReadyRequest.getDefaultInstance()).getReady())
        .as("model 'down' has never served")
        .isFalse();
    assertThat(client.serverMetadata(ServerMetadataRequest.getDefaultInstance()).getName())
        .isEqualTo("crema");
    assertThat(
            client.serverMetadata(ServerMetadataRequest.getDefaultInstance()).getExtensionsList())
        .containsExactly("binary_tensor_data", "classification", "model_repository");
    assertThat(ready("pets", "")).isTrue();
    assertThat(ready("pets", "1")).isTrue();
    assertThat(ready("down", "")).isFalse();
    refused(Status.Code.NOT_FOUND, () -> ready("nobody", ""), "nobody");
    refused(Status.Code.INVALID_ARGUMENT, () -> ready("", ""), "no model");
    ModelMetadataResponse metadata =
        client.modelMetadata(ModelMetadataRequest.newBuilder().setName("pets").build());
    assertThat(metadata.getVersionsList()).containsExactly("2", "1");
    assertThat(metadata.getPlatform()).isEqualTo("crema_safetensors");
    assertThat(metadata.getInputs(0).getName()).isEqualTo("x");
    assertThat(metadata.getInputs(0).getDatatype()).isEqualTo("FP32");
    assertThat(metadata.getInputs(0).getShapeList()).containsExactly(-1L, 3L);
    assertThat(metadata.getOutputs(0).getName()).isEqualTo("scores");
  }

  private static boolean ready(String name, String version) {
    return client
        .modelReady(ModelReadyRequest.newBuilder().setName(name).setVersion(version).build())
        .getReady();
  }

  @Test
  void infersFromTypedContents() {
    ModelInferResponse response =
        client.modelInfer(pets(1, 2, 3, 4, 5, 6).setId("7").setModelVersion("1").build());
    assertThat(response.getModelName()).isEqualTo("pets");
    assertThat(response.getModelVersion()).isEqualTo("1");
    assertThat(response.getId()).isEqualTo("7");
    assertThat(response.getOutputs(0).getName()).isEqualTo("scores");
    assertThat(response.getOutputs(0).getDatatype()).isEqualTo("FP32");
    assertThat(response.getOutputs(0).getShapeList()).containsExactly(2L, 2L);
    assertThat(response.getOutputs(0).getContents().getFp32ContentsList())
        .containsExactly(3f, 3f, 9f, 6f);
    assertThat(response.getRawOutputContentsCount()).isZero();
  }

  @Test
  void infersFromRawContents() {
    ModelInferRequest request =
        ModelInferRequest.newBuilder()
            .setModelName("pair")
            .addInputs(input("b", "INT32", 1))
            .addInputs(input("a", "FP32", 1, 2))
            .addRawInputContents(ByteString.copyFrom(new byte[] {10, 0, 0, 0}))
            .addRawInputContents(little(1, 2))
            .build();
    ModelInferResponse response = client.modelInfer(request);
    assertThat(response.getOutputsList())
        .extracting(o -> o.getName())
        .containsExactly("sum", "twice");
    assertThat(response.getRawOutputContentsList())
        .containsExactly(little(11, 12), ByteString.copyFrom(new byte[] {20, 0, 0, 0, 0, 0, 0, 0}));
    assertThat(response.getOutputs(0).hasContents()).isFalse();
    ModelInferResponse one =
        client.modelInfer(
            request.toBuilder()
                .addOutputs(InferRequestedOutputTensor.newBuilder().setName("twice"))
                .build());
    assertThat(one.getRawOutputContentsCount()).isEqualTo(1);
    assertThat(one.getOutputs(0).getName()).isEqualTo("twice");
  }

  @Test
  void widensRawHalves() {
    ModelInferResponse response =
        client.modelInfer(
            ModelInferRequest.newBuilder()
                .setModelName("echo_FLOAT32")
                .addInputs(input("x", "BF16", 1, 2))
                .addRawInputContents(
                    ByteString.copyFrom(new byte[] {(byte) 0x80, 0x3f, 0, (byte) 0xc0}))
                .build());
    assertThat(response.getRawOutputContents(0)).isEqualTo(little(1, -2));
    ModelInferResponse half =
        client.modelInfer(
            ModelInferRequest.newBuilder()
                .setModelName("echo_FLOAT16")
                .addInputs(input("x", "FP16", 1, 2))
                .addRawInputContents(ByteString.copyFrom(new byte[] {0, 0x3c, 0, 0x40}))
                .build());
    assertThat(half.getOutputs(0).getDatatype()).isEqualTo("FP16");
    assertThat(half.getRawOutputContents(0))
        .isEqualTo(ByteString.copyFrom(new byte[] {0, 0x3c, 0, 0x40}));
  }

  @Test
  void carriesBigTensorsBitForBit() {
    byte[] data = new byte[8 << 20];
    new java.util.Random(5).nextBytes(data);
    ModelInferResponse response =
        client.modelInfer(
            ModelInferRequest.newBuilder()
                .setModelName("echo_FLOAT32")
                .addInputs(input("x", "FP32", data.length / 8, 2))
                .addRawInputContents(ByteString.copyFrom(data))
                .build());
    assertThat(response.getRawOutputContents(0).toByteArray()).isEqualTo(data);
  }

  @Test
  void saysWhatIsWrong() {
    Status.Code bad = Status.Code.INVALID_ARGUMENT;
    refused(bad, () -> client.modelInfer(pets(1, 2, 3).clearInputs().build()), "'x' is missing");
    refused(
        bad,
        () -> client.modelInfer(pets(1, 2, 3).addInputs(pets(1, 2, 3).getInputs(0)).build()),
        "twice");
    refused(bad, () -> client.modelInfer(with(input("y", "FP32", 1, 3))), "'y'");
    refused(
        bad, () -> client.modelInfer(with(input("x", "FP64", 1, 3))), "'x'", "'FP64'", "'FP32'");
    refused(bad, () -> client.modelInfer(with(input("x", "BYTES", 1, 3))), "'BYTES'");
    refused(bad, () -> client.modelInfer(with(input("x", "FP16", 1, 3))), "raw_input_contents");
    refused(
        bad,
        () -> client.modelInfer(with(input("x", "FP32", 1, 3))),
        "takes 3 elements",
        "got 0 bytes");
    refused(bad, () -> client.modelInfer(with(input("x", "FP32", -1, 3))), "negative");
    refused(bad, () -> client.modelInfer(with(input("x", "FP32", Long.MAX_VALUE, 3))), "too big");
    refused(
        bad,
        () -> client.modelInfer(pets(1, 2, 3).addRawInputContents(little(1, 2, 3)).build()),
        "contents field");
    refused(
        bad,
        () ->
            client.modelInfer(
                pets(1, 2, 3)
                    .addRawInputContents(little(1))
                    .addRawInputContents(little(1))
                    .build()),
        "2 tensors for 1 inputs");
    refused(
        bad,
        () ->
            client.modelInfer(
                with(
                    input("x", "INT8", 1, 3)
                        .setContents(InferTensorContents.newBuilder().addIntContents(128)))),
        "128");
    refused(
        bad,
        () ->
            client.modelInfer(
                pets(1, 2, 3)
                    .putParameters(
                        "timeout", InferParameter.newBuilder().setStringParam("x").build())
                    .build()),
        "timeout");
    refused(bad, () -> client.modelInfer(ModelInferRequest.getDefaultInstance()), "no model");
    refused(
        Status.Code.NOT_FOUND,
        () -> client.modelInfer(pets(1, 2, 3).setModelName("nobody").build()),
        "nobody");
    refused(
        Status.Code.NOT_FOUND,
        () -> client.modelInfer(pets(1, 2, 3).setModelVersion("9").build()),
        "9");
    refused(
        Status.Code.RESOURCE_EXHAUSTED,
        () -> client.modelInfer(pets(1, 2, 3).setModelName("busy").build()),
        "full");
  }

  private static ModelInferRequest with(InferInputTensor.Builder input) {
    return ModelInferRequest.newBuilder().setModelName("pets").addInputs(input).build();
  }

  @Test
  void namesTheBestClasses() {
    InferRequestedOutputTensor best =
        InferRequestedOutputTensor.newBuilder()
            .setName("scores")
            .putParameters("classification", InferParameter.newBuilder().setInt64Param(1).build())
            .build();
    ModelInferResponse typed = client.modelInfer(pets(1, 2, 3.5f).addOutputs(best).build());
    assertThat(typed.getOutputs(0).getDatatype()).isEqualTo("BYTES");
    assertThat(typed.getOutputs(0).getContents().getBytesContents(0).toStringUtf8())
        .isEqualTo("3.5:1:dog");
    ModelInferRequest.Builder raw =
        pets(1, 2, 3.5f).addOutputs(best).addRawInputContents(little(1, 2, 3.5f));
    raw.getInputsBuilder(0).clearContents();
    assertThat(client.modelInfer(raw.build()).getRawOutputContents(0))
        .isEqualTo(
            ByteString.copyFrom(new byte[] {9, 0, 0, 0})
                .concat(ByteString.copyFromUtf8("3.5:1:dog")));
  }

  @Test
  void passesDeadlinesOn() {
    server.models.requests.clear();
    long before = System.nanoTime();
    client
        .withDeadlineAfter(5, TimeUnit.SECONDS)
        .modelInfer(
            pets(1, 2, 3)
                .putParameters(
                    "timeout", InferParameter.newBuilder().setInt64Param(200_000).build())
                .build());
    client.withDeadlineAfter(5, TimeUnit.SECONDS).modelInfer(pets(1, 2, 3).build());
    List<InferenceRequest> seen = List.copyOf(server.models.requests);
    assertThat(seen.get(0).deadlineNanos() - before).isBetween(200_000_000L, 4_000_000_000L);
    assertThat(seen.get(1).deadlineNanos() - before).isBetween(4_000_000_000L, 9_000_000_000L);
    assertThat(seen.get(0).protocol()).isEqualTo("oip-grpc");
  }

  @Test
  void answersAStreamInOrderWithErrorsInIt() throws Exception {
    List<ModelStreamInferResponse> answers = new ArrayList<>();
    CompletableFuture<Void> done = new CompletableFuture<>();
    StreamObserver<ModelInferRequest> requests =
        GRPCInferenceServiceGrpc.newStub(server.channel())
            .modelStreamInfer(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ModelStreamInferResponse answer) {
                    answers.add(answer);
                  }

                  @Override
                  public void onError(Throwable failure) {
                    done.completeExceptionally(failure);
                  }

                  @Override
                  public void onCompleted() {
                    done.complete(null);
                  }
                });
    for (int i = 0; i < 100; i++) {
      requests.onNext(
          i == 50
              ? pets(1, 2, 3).setModelName("nobody").build()
              : pets(i, 0, 0).setId(Integer.toString(i)).build());
    }
    requests.onCompleted();
    done.get(30, TimeUnit.SECONDS);
    assertThat(answers).hasSize(100);
    for (int i = 0; i < 100; i++) {
      if (i == 50) {
        assertThat(answers.get(i).getErrorMessage()).contains("nobody");
      } else {
        assertThat(answers.get(i).getInferResponse().getId()).isEqualTo(Integer.toString(i));
        assertThat(answers.get(i).getInferResponse().getOutputs(0).getContents().getFp32Contents(0))
            .isEqualTo(i);
      }
    }
  }

  @Test
  void indexesTheRepository() {
    List<ModelIndex> all =
        client.repositoryIndex(RepositoryIndexRequest.getDefaultInstance()).getModelsList();
    assertThat(all.get(0).getName()).isEqualTo("pets");
    assertThat(all.get(0).getState()).isEqualTo("UNAVAILABLE");
    assertThat(all.get(0).getReason()).isEqualTo("config.json is missing");
    assertThat(
            client
                .repositoryIndex(RepositoryIndexRequest.newBuilder().setReady(true).build())
                .getModelsList())
        .extracting(ModelIndex::getState)
        .containsOnly("READY");
  }

  @Test
  void loadsAndUnloadsForAdministratorsOnly() {
    RepositoryModelLoadRequest load =
        RepositoryModelLoadRequest.newBuilder().setModelName("pets").build();
    RepositoryModelUnloadRequest unload =
        RepositoryModelUnloadRequest.newBuilder().setModelName("pets").build();
    refused(Status.Code.PERMISSION_DENIED, () -> client.repositoryModelLoad(load), "load");
    refused(Status.Code.PERMISSION_DENIED, () -> client.repositoryModelUnload(unload), "load");
    GRPCInferenceServiceBlockingStub allowed =
        GRPCInferenceServiceGrpc.newBlockingStub(admin.channel());
    assertThat(allowed.repositoryModelLoad(load).isInitialized()).isTrue();
    assertThat(allowed.repositoryModelUnload(unload).isInitialized()).isTrue();
    assertThat(admin.models.changes).containsExactly("+pets", "-pets");
    refused(
        Status.Code.NOT_FOUND,
        () ->
            allowed.repositoryModelLoad(
                RepositoryModelLoadRequest.newBuilder().setModelName("nobody").build()),
        "nobody");
  }

  @Test
  void saysWhetherItIsWell() {
    HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(server.channel());
    for (String service :
        List.of("", "inference.GRPCInferenceService", "tensorflow.serving.PredictionService")) {
      assertThat(
              health.check(HealthCheckRequest.newBuilder().setService(service).build()).getStatus())
          .isEqualTo(ServingStatus.NOT_SERVING); // for model 'down'
    }
    refused(
        Status.Code.NOT_FOUND,
        () -> health.check(HealthCheckRequest.newBuilder().setService("other").build()),
        "other");
  }

  @Test
  void reflectsItsServices() throws Exception {
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> requests =
        ServerReflectionGrpc.newStub(server.channel())
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    answer.complete(response);
                  }

                  @Override
                  public void onError(Throwable failure) {
                    answer.completeExceptionally(failure);
                  }

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    assertThat(answer.get(30, TimeUnit.SECONDS).getListServicesResponse().getServiceList())
        .extracting(s -> s.getName())
        .contains(
            "inference.GRPCInferenceService",
            "tensorflow.serving.PredictionService",
            "tensorflow.serving.ModelService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection");
    requests.onCompleted();
  }
}
