package dev.crema.serving.tensorflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.Int64Value;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.crema.memory.ElementType;
import dev.crema.serving.ProtocolServer;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.protocols.tensorflow.Code;
import dev.crema.serving.protocols.tensorflow.DataType;
import dev.crema.serving.protocols.tensorflow.Example;
import dev.crema.serving.protocols.tensorflow.Feature;
import dev.crema.serving.protocols.tensorflow.FloatList;
import dev.crema.serving.protocols.tensorflow.SignatureDef;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.protocols.tensorflow.TensorShapeProto;
import dev.crema.serving.protocols.tensorflow.serving.ClassificationRequest;
import dev.crema.serving.protocols.tensorflow.serving.ClassificationResponse;
import dev.crema.serving.protocols.tensorflow.serving.ExampleList;
import dev.crema.serving.protocols.tensorflow.serving.ExampleListWithContext;
import dev.crema.serving.protocols.tensorflow.serving.GetModelMetadataRequest;
import dev.crema.serving.protocols.tensorflow.serving.GetModelMetadataResponse;
import dev.crema.serving.protocols.tensorflow.serving.GetModelStatusRequest;
import dev.crema.serving.protocols.tensorflow.serving.GetModelStatusResponse;
import dev.crema.serving.protocols.tensorflow.serving.InferenceTask;
import dev.crema.serving.protocols.tensorflow.serving.Input;
import dev.crema.serving.protocols.tensorflow.serving.ModelConfig;
import dev.crema.serving.protocols.tensorflow.serving.ModelConfigList;
import dev.crema.serving.protocols.tensorflow.serving.ModelServerConfig;
import dev.crema.serving.protocols.tensorflow.serving.ModelServiceGrpc;
import dev.crema.serving.protocols.tensorflow.serving.ModelSpec;
import dev.crema.serving.protocols.tensorflow.serving.ModelVersionStatus;
import dev.crema.serving.protocols.tensorflow.serving.MultiInferenceRequest;
import dev.crema.serving.protocols.tensorflow.serving.MultiInferenceResponse;
import dev.crema.serving.protocols.tensorflow.serving.PredictRequest;
import dev.crema.serving.protocols.tensorflow.serving.PredictResponse;
import dev.crema.serving.protocols.tensorflow.serving.PredictionServiceGrpc;
import dev.crema.serving.protocols.tensorflow.serving.RegressionRequest;
import dev.crema.serving.protocols.tensorflow.serving.ReloadConfigRequest;
import dev.crema.serving.protocols.tensorflow.serving.SignatureDefMap;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** TensorFlow Serving's gRPC services, with the client that its published definitions make. */
class TensorFlowGrpcTest {
  private static ProtocolServer server;
  private static ProtocolServer admin;
  private static PredictionServiceGrpc.PredictionServiceBlockingStub prediction;
  private static ModelServiceGrpc.ModelServiceBlockingStub models;

  @BeforeAll
  static void start() {
    server = new ProtocolServer(ProtocolOptions.DEFAULT);
    admin = new ProtocolServer(ProtocolOptions.DEFAULT.withAdmin(true));
    prediction = PredictionServiceGrpc.newBlockingStub(server.channel());
    models = ModelServiceGrpc.newBlockingStub(server.channel());
  }

  @AfterAll
  static void stop() {
    server.close();
    admin.close();
  }

  private static ModelSpec model(String name) {
    return ModelSpec.newBuilder().setName(name).build();
  }

  private static TensorShapeProto shape(long... extents) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long extent : extents) {
      shape.addDimBuilder().setSize(extent);
    }
    return shape.build();
  }

  private static TensorProto.Builder tensor(DataType type, long... shape) {
    return TensorProto.newBuilder().setDtype(type).setTensorShape(shape(shape));
  }

  private static TensorProto floats(long[] shape, float... values) {
    TensorProto.Builder tensor = tensor(DataType.DT_FLOAT, shape);
    for (float v : values) {
      tensor.addFloatVal(v);
    }
    return tensor.build();
  }

  private static PredictRequest.Builder pets(TensorProto x) {
    return PredictRequest.newBuilder().setModelSpec(model("pets")).putInputs("x", x);
  }

  private static StatusRuntimeException refused(
      Status.Code code, ThrowingCallable call, String... says) {
    StatusRuntimeException e = catchThrowableOfType(StatusRuntimeException.class, call);
    assertThat(e).isNotNull();
    assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code);
    assertThat(e.getStatus().getDescription()).contains(says);
    return e;
  }

  @Test
  void predictsFromLists() {
    PredictResponse response =
        prediction.predict(pets(floats(new long[] {2, 3}, 1, 2, 3, 4, 5, 6)).build());
    assertThat(response.getModelSpec().getName()).isEqualTo("pets");
    assertThat(response.getModelSpec().getVersion().getValue()).isEqualTo(2);
    assertThat(response.getModelSpec().getSignatureName()).isEqualTo("serving_default");
    TensorProto scores = response.getOutputsOrThrow("scores");
    assertThat(scores.getDtype()).isEqualTo(DataType.DT_FLOAT);
    assertThat(scores.getTensorShape()).isEqualTo(shape(2, 2));
    assertThat(scores.getFloatValList()).containsExactly(3f, 3f, 9f, 6f);
  }

  @Test
  void predictsFromContentAndFromOneValueForAll() {
    ByteBuffer bytes = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(1).putFloat(2).putFloat(Float.NaN).flip();
    TensorProto content =
        tensor(DataType.DT_FLOAT, 1, 3).setTensorContent(ByteString.copyFrom(bytes)).build();
    assertThat(
            prediction.predict(pets(content).build()).getOutputsOrThrow("scores").getFloatValList())
        .containsExactly(3f, Float.NaN);
    TensorProto one = tensor(DataType.DT_FLOAT, 2, 3).addFloatVal(0.5f).build();
    assertThat(prediction.predict(pets(one).build()).getOutputsOrThrow("scores").getFloatValList())
        .containsExactly(1f, 0.5f, 1f, 0.5f);
    TensorProto empty = tensor(DataType.DT_FLOAT, 0, 3).build();
    assertThat(prediction.predict(pets(empty).build()).getOutputsOrThrow("scores").getTensorShape())
        .isEqualTo(shape(0, 2));
  }

  @Test
  void choosesVersionLabelSignatureAndOutputs() {
    TensorProto x = floats(new long[] {1, 3}, 1, 2, 3);
    Consumer<ModelSpec.Builder> first = s -> s.setVersion(Int64Value.of(1));
    Consumer<ModelSpec.Builder> stable = s -> s.setVersionLabel("stable");
    for (Consumer<ModelSpec.Builder> choice : java.util.List.of(first, stable)) {
      PredictRequest.Builder request = pets(x);
      choice.accept(request.getModelSpecBuilder());
      assertThat(prediction.predict(request.build()).getModelSpec().getVersion().getValue())
          .isEqualTo(1);
    }
    PredictRequest.Builder named = pets(x);
    named.getModelSpecBuilder().setSignatureName("serving_default");
    assertThat(prediction.predict(named.build()).getOutputsCount()).isEqualTo(1);
    named.getModelSpecBuilder().setSignatureName("other");
    refused(Status.Code.INVALID_ARGUMENT, () -> prediction.predict(named.build()), "other");
    PredictRequest pair =
        PredictRequest.newBuilder()
            .setModelSpec(model("pair"))
            .putInputs("a", floats(new long[] {1, 2}, 1, 2))
            .putInputs("b", tensor(DataType.DT_INT32, 1).addIntVal(7).build())
            .addOutputFilter("twice")
            .build();
    PredictResponse filtered = prediction.predict(pair);
    assertThat(filtered.getOutputsMap()).containsOnlyKeys("twice");
    assertThat(filtered.getOutputsOrThrow("twice").getInt64ValList()).containsExactly(14L);
    refused(
        Status.Code.INVALID_ARGUMENT,
        () -> prediction.predict(pair.toBuilder().addOutputFilter("none").build()),
        "none");
  }

  @Test
  void takesAndGivesEveryType() {
    for (ElementType type : ElementType.values()) {
      TensorProto.Builder x = tensor(DataTypes.of(type), 1, 2);
      switch (type) {
        case FLOAT32 -> x.addFloatVal(1).addFloatVal(-2);
        case FLOAT16, BFLOAT16 -> x.addHalfVal(0x3c00).addHalfVal(0xbc00);
        case INT8, INT32 -> x.addIntVal(1).addIntVal(-2);
        case UINT8 -> x.addIntVal(1).addIntVal(255);
        case INT64 -> x.addInt64Val(1).addInt64Val(Long.MIN_VALUE);
        case BOOL -> x.addBoolVal(true).addBoolVal(false);
      }
      TensorProto sent = x.build();
      PredictRequest request =
          PredictRequest.newBuilder()
              .setModelSpec(model("echo_" + type))
              .putInputs("x", sent)
              .build();
      assertThat(prediction.predict(request).getOutputsOrThrow("x")).isEqualTo(sent);
    }
  }

  @Test
  void saysWhatIsWrongWithATensor() {
    Status.Code bad = Status.Code.INVALID_ARGUMENT;
    refused(bad, () -> predict(floats(new long[] {1, 3}, 1, 2)), "'x'", "takes 3 values", "got 2");
    refused(bad, () -> predict(tensor(DataType.DT_FLOAT, 1, 3).build()), "'x'", "got 0");
    refused(bad, () -> predict(floats(new long[] {1, 4}, 1, 2, 3, 4)), "[-1, 3]");
    refused(bad, () -> predict(floats(new long[] {-1, 3}, 1)), "extent -1");
    refused(
        bad,
        () -> predict(tensor(DataType.DT_DOUBLE, 1, 3).addDoubleVal(1).build()),
        "DT_DOUBLE",
        "DT_FLOAT");
    refused(bad, () -> predict(tensor(DataType.DT_STRING, 1, 3).build()), "DT_STRING", "DT_FLOAT");
    refused(bad, () -> predict(TensorProto.getDefaultInstance()), "DT_INVALID", "DT_FLOAT");
    refused(bad, () -> predict(TensorProto.newBuilder().setDtypeValue(999).build()), "'x'");
    refused(
        bad,
        () ->
            predict(
                tensor(DataType.DT_FLOAT, 1, 3)
                    .setTensorContent(ByteString.copyFrom(new byte[11]))
                    .build()),
        "12 bytes",
        "11");
    refused(
        bad,
        () ->
            predict(
                TensorProto.newBuilder()
                    .setDtype(DataType.DT_FLOAT)
                    .setTensorShape(TensorShapeProto.newBuilder().setUnknownRank(true))
                    .build()),
        "unknown rank");
    refused(
        bad,
        () -> predict(floats(new long[] {1_000_000_000_000L, 3}, 1)),
        "bigger than the 67108864 bytes");
    refused(bad, () -> predict(floats(new long[] {1L << 62, 8}, 1)), "too big");
    refused(
        bad,
        () ->
            prediction.predict(
                PredictRequest.newBuilder()
                    .setModelSpec(model("echo_UINT8"))
                    .putInputs(
                        "x", tensor(DataType.DT_UINT8, 1, 2).addIntVal(1).addIntVal(256).build())
                    .build()),
        "256");
    refused(
        bad,
        () -> prediction.predict(PredictRequest.newBuilder().setModelSpec(model("pets")).build()),
        "x FLOAT32");
    refused(
        bad,
        () ->
            prediction.predict(
                pets(floats(new long[] {1, 3}, 1, 2, 3))
                    .putInputs("y", floats(new long[] {1}, 1))
                    .build()),
        "y");
    refused(bad, () -> prediction.predict(PredictRequest.getDefaultInstance()), "ModelSpec");
  }

  private static PredictResponse predict(TensorProto x) {
    return prediction.predict(pets(x).build());
  }

  @Test
  void givesTheCodeThatStandsForAFailure() {
    TensorProto x = floats(new long[] {1, 3}, 1, 2, 3);
    refused(Status.Code.NOT_FOUND, () -> predict("nobody", x), "nobody");
    refused(Status.Code.UNAVAILABLE, () -> predict("down", x), "down");
    refused(Status.Code.INTERNAL, () -> predict("broken", x), "failed");
    StatusRuntimeException busy =
        refused(Status.Code.RESOURCE_EXHAUSTED, () -> predict("busy", x), "full");
    assertThat(
            busy.getTrailers()
                .get(Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER)))
        .isEqualTo("1500");
  }

  private static PredictResponse predict(String model, TensorProto x) {
    return prediction.predict(
        PredictRequest.newBuilder().setModelSpec(model(model)).putInputs("x", x).build());
  }

  @Test
  void passesDeadlineAndIdOn() {
    server.models.requests.clear();
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER), "r-9");
    long before = System.nanoTime();
    prediction
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .withDeadlineAfter(5, TimeUnit.SECONDS)
        .predict(pets(floats(new long[] {1, 3}, 1, 2, 3)).build());
    InferenceRequest request = server.models.requests.peek();
    assertThat(request.id()).isEqualTo("r-9");
    assertThat(request.protocol()).isEqualTo("tfs-grpc");
    assertThat(request.deadlineNanos() - before).isBetween(4_000_000_000L, 7_000_000_000L);
  }

  @Test
  void readsCompressedMessages() {
    assertThat(
            prediction
                .withCompression("gzip")
                .predict(pets(floats(new long[] {1, 3}, 1, 2, 3)).build())
                .getOutputsOrThrow("scores")
                .getFloatValList())
        .containsExactly(3f, 3f);
  }

  private static Example example(String name, float... values) {
    FloatList.Builder list = FloatList.newBuilder();
    for (float v : values) {
      list.addValue(v);
    }
    Example.Builder example = Example.newBuilder();
    example.getFeaturesBuilder().putFeature(name, Feature.newBuilder().setFloatList(list).build());
    return example.build();
  }

  private static Input input(Example... examples) {
    return Input.newBuilder()
        .setExampleList(ExampleList.newBuilder().addAllExamples(java.util.List.of(examples)))
        .build();
  }

  @Test
  void classifiesAndRegresses() {
    ClassificationResponse classes =
        prediction.classify(
            ClassificationRequest.newBuilder()
                .setModelSpec(model("pets"))
                .setInput(input(example("x", 1, 2, 0.5f), example("x", 0, 0, 7)))
                .build());
    assertThat(classes.getModelSpec().getVersion().getValue()).isEqualTo(2);
    assertThat(classes.getResult().getClassificationsCount()).isEqualTo(2);
    assertThat(classes.getResult().getClassifications(0).getClasses(0).getLabel()).isEqualTo("cat");
    assertThat(classes.getResult().getClassifications(0).getClasses(0).getScore()).isEqualTo(3f);
    assertThat(classes.getResult().getClassifications(1).getClasses(1).getScore()).isEqualTo(7f);
    assertThat(
            prediction
                .regress(
                    RegressionRequest.newBuilder()
                        .setModelSpec(model("half_plus_three"))
                        .setInput(input(example("x", 1), example("x", 2)))
                        .build())
                .getResult()
                .getRegressionsList())
        .extracting(r -> r.getValue())
        .containsExactly(3.5f, 4f);
    refused(
        Status.Code.INVALID_ARGUMENT,
        () ->
            prediction.classify(
                ClassificationRequest.newBuilder().setModelSpec(model("pets")).build()),
        "no examples");
    Input withContext =
        Input.newBuilder()
            .setExampleListWithContext(
                ExampleListWithContext.newBuilder()
                    .addExamples(Example.getDefaultInstance())
                    .addExamples(Example.getDefaultInstance())
                    .setContext(example("x", 4)))
            .build();
    assertThat(
            prediction
                .regress(
                    RegressionRequest.newBuilder()
                        .setModelSpec(model("half_plus_three"))
                        .setInput(withContext)
                        .build())
                .getResult()
                .getRegressionsCount())
        .isEqualTo(2);
  }

  @Test
  void answersSeveralTasksAtOnce() {
    InferenceTask.Builder regress =
        InferenceTask.newBuilder()
            .setModelSpec(model("half_plus_three"))
            .setMethodName("tensorflow/serving/regress");
    MultiInferenceResponse response =
        prediction.multiInference(
            MultiInferenceRequest.newBuilder()
                .addTasks(regress)
                .addTasks(regress)
                .setInput(input(example("x", 1)))
                .build());
    assertThat(response.getResultsCount()).isEqualTo(2);
    assertThat(response.getResults(1).getRegressionResult().getRegressions(0).getValue())
        .isEqualTo(3.5f);
    refused(
        Status.Code.INVALID_ARGUMENT,
        () ->
            prediction.multiInference(
                MultiInferenceRequest.newBuilder()
                    .addTasks(regress)
                    .addTasks(regress.clone().setModelSpec(model("pets")))
                    .setInput(input(example("x", 1)))
                    .build()),
        "same model");
    refused(
        Status.Code.UNIMPLEMENTED,
        () ->
            prediction.multiInference(
                MultiInferenceRequest.newBuilder()
                    .addTasks(regress.clone().setMethodName("tensorflow/serving/predict"))
                    .setInput(input(example("x", 1)))
                    .build()),
        "tensorflow/serving/predict");
    refused(
        Status.Code.INVALID_ARGUMENT,
        () -> prediction.multiInference(MultiInferenceRequest.getDefaultInstance()),
        "no tasks");
  }

  @Test
  void tellsTheSignature() throws InvalidProtocolBufferException {
    GetModelMetadataResponse response =
        prediction.getModelMetadata(
            GetModelMetadataRequest.newBuilder()
                .setModelSpec(model("pair"))
                .addMetadataField("signature_def")
                .build());
    SignatureDefMap map =
        response.getMetadataOrThrow("signature_def").unpack(SignatureDefMap.class);
    assertThat(response.getMetadataOrThrow("signature_def").getTypeUrl())
        .isEqualTo("type.googleapis.com/tensorflow.serving.SignatureDefMap");
    SignatureDef signature = map.getSignatureDefOrThrow("serving_default");
    assertThat(signature.getMethodName()).isEqualTo("tensorflow/serving/predict");
    assertThat(signature.getInputsOrThrow("b").getDtype()).isEqualTo(DataType.DT_INT32);
    assertThat(signature.getInputsOrThrow("a").getTensorShape()).isEqualTo(shape(-1, 2));
    assertThat(signature.getOutputsOrThrow("twice").getDtype()).isEqualTo(DataType.DT_INT64);
    refused(
        Status.Code.INVALID_ARGUMENT,
        () ->
            prediction.getModelMetadata(
                GetModelMetadataRequest.newBuilder().setModelSpec(model("pair")).build()),
        "metadata_field");
    refused(
        Status.Code.INVALID_ARGUMENT,
        () ->
            prediction.getModelMetadata(
                GetModelMetadataRequest.newBuilder()
                    .setModelSpec(model("pair"))
                    .addMetadataField("graph")
                    .build()),
        "graph");
  }

  @Test
  void tellsTheStatesOfVersions() {
    GetModelStatusResponse all =
        models.getModelStatus(
            GetModelStatusRequest.newBuilder().setModelSpec(model("pets")).build());
    assertThat(all.getModelVersionStatusList())
        .extracting(ModelVersionStatus::getVersion)
        .containsExactly(3L, 2L, 1L);
    assertThat(all.getModelVersionStatus(0).getState()).isEqualTo(ModelVersionStatus.State.END);
    assertThat(all.getModelVersionStatus(0).getStatus().getErrorCode()).isEqualTo(Code.UNKNOWN);
    assertThat(all.getModelVersionStatus(0).getStatus().getErrorMessage())
        .isEqualTo("config.json is missing");
    assertThat(all.getModelVersionStatus(1).getState())
        .isEqualTo(ModelVersionStatus.State.AVAILABLE);
    assertThat(
            models
                .getModelStatus(
                    GetModelStatusRequest.newBuilder()
                        .setModelSpec(model("pets").toBuilder().setVersionLabel("stable"))
                        .build())
                .getModelVersionStatusList())
        .extracting(ModelVersionStatus::getVersion)
        .containsExactly(1L);
    refused(
        Status.Code.NOT_FOUND,
        () ->
            models.getModelStatus(
                GetModelStatusRequest.newBuilder().setModelSpec(model("nobody")).build()),
        "nobody");
  }

  @Test
  void reloadsForAdministratorsOnly() {
    ReloadConfigRequest request = config(ModelConfig.newBuilder().setName("pets"));
    refused(Status.Code.PERMISSION_DENIED, () -> models.handleReloadConfigRequest(request), "load");
    ModelServiceGrpc.ModelServiceBlockingStub allowed =
        ModelServiceGrpc.newBlockingStub(admin.channel());
    assertThat(allowed.handleReloadConfigRequest(request).getStatus().getErrorCode())
        .isEqualTo(Code.OK);
    assertThat(admin.models.changes)
        .contains("+pets", "-pair", "-down")
        .doesNotContain("-pets", "+pair");
    refused(
        Status.Code.NOT_FOUND,
        () -> allowed.handleReloadConfigRequest(config(ModelConfig.newBuilder().setName("nobody"))),
        "nobody");
    refused(
        Status.Code.UNIMPLEMENTED,
        () ->
            allowed.handleReloadConfigRequest(
                config(ModelConfig.newBuilder().setName("pets").putVersionLabels("new", 2))),
        "labels");
    refused(
        Status.Code.INVALID_ARGUMENT,
        () -> allowed.handleReloadConfigRequest(ReloadConfigRequest.getDefaultInstance()),
        "model_config_list");
  }

  private static ReloadConfigRequest config(ModelConfig.Builder model) {
    return ReloadConfigRequest.newBuilder()
        .setConfig(
            ModelServerConfig.newBuilder()
                .setModelConfigList(ModelConfigList.newBuilder().addConfig(model)))
        .build();
  }
}
