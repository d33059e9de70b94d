package dev.crema.serving.openinference;

import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.protocol.Failures;
import dev.crema.serving.protocols.inference.GRPCInferenceServiceGrpc;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelInferResponse;
import dev.crema.serving.protocols.inference.ModelMetadataRequest;
import dev.crema.serving.protocols.inference.ModelMetadataResponse;
import dev.crema.serving.protocols.inference.ModelMetadataResponse.TensorMetadata;
import dev.crema.serving.protocols.inference.ModelReadyRequest;
import dev.crema.serving.protocols.inference.ModelReadyResponse;
import dev.crema.serving.protocols.inference.ModelStreamInferResponse;
import dev.crema.serving.protocols.inference.RepositoryIndexRequest;
import dev.crema.serving.protocols.inference.RepositoryIndexResponse;
import dev.crema.serving.protocols.inference.RepositoryIndexResponse.ModelIndex;
import dev.crema.serving.protocols.inference.RepositoryModelLoadRequest;
import dev.crema.serving.protocols.inference.RepositoryModelLoadResponse;
import dev.crema.serving.protocols.inference.RepositoryModelUnloadRequest;
import dev.crema.serving.protocols.inference.RepositoryModelUnloadResponse;
import dev.crema.serving.protocols.inference.ServerLiveRequest;
import dev.crema.serving.protocols.inference.ServerLiveResponse;
import dev.crema.serving.protocols.inference.ServerMetadataRequest;
import dev.crema.serving.protocols.inference.ServerMetadataResponse;
import dev.crema.serving.protocols.inference.ServerReadyRequest;
import dev.crema.serving.protocols.inference.ServerReadyResponse;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.tensor.NumberType;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The Open Inference Protocol's gRPC service. Thread-safe. */
public final class InferenceService extends GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase {
  private final Calls calls;

  public InferenceService(Calls calls) {
    this.calls = calls;
  }

  @Override
  public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> observer) {
    answer(observer, () -> ServerLiveResponse.newBuilder().setLive(true).build());
  }

  @Override
  public void serverReady(
      ServerReadyRequest request, StreamObserver<ServerReadyResponse> observer) {
    answer(observer, () -> ServerReadyResponse.newBuilder().setReady(calls.ready()).build());
  }

  @Override
  public void modelReady(ModelReadyRequest request, StreamObserver<ModelReadyResponse> observer) {
    answer(
        observer,
        () -> {
          ModelReference model = reference(request.getName(), request.getVersion());
          return ModelReadyResponse.newBuilder()
              .setReady(ModelStates.isReady(calls.models(), model))
              .build();
        });
  }

  @Override
  public void serverMetadata(
      ServerMetadataRequest request, StreamObserver<ServerMetadataResponse> observer) {
    answer(
        observer,
        () ->
            ServerMetadataResponse.newBuilder()
                .setName(ServerDescription.NAME)
                .setVersion(ServerDescription.version())
                .addAllExtensions(ServerDescription.EXTENSIONS)
                .build());
  }

  @Override
  public void modelMetadata(
      ModelMetadataRequest request, StreamObserver<ModelMetadataResponse> observer) {
    answer(
        observer,
        () -> {
          ModelReference model = reference(request.getName(), request.getVersion());
          Signature signature = calls.models().signature(model);
          ModelMetadataResponse.Builder response =
              ModelMetadataResponse.newBuilder()
                  .setName(model.name())
                  .addAllVersions(ModelStates.available(calls.models(), model.name()))
                  .setPlatform(ServerDescription.PLATFORM)
                  .putAllProperties(ColumnInputs.properties(signature));
          signature.inputs().forEach(spec -> response.addInputs(metadata(spec)));
          signature.outputs().forEach(spec -> response.addOutputs(metadata(spec)));
          return response.build();
        });
  }

  private static TensorMetadata metadata(TensorSpec spec) {
    return TensorMetadata.newBuilder()
        .setName(spec.name())
        .setDatatype(NumberType.of(spec.type()).name())
        .addAllShape(spec.shape())
        .build();
  }

  private static ModelReference reference(String name, String version) {
    if (name.isEmpty()) {
      throw ServingException.invalidArgument("the request names no model");
    }
    return Calls.reference(name, version);
  }

  @Override
  public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> observer) {
    infer(ServiceRequestContext.current(), request)
        .whenComplete(
            (answer, failure) -> {
              if (failure != null) {
                observer.onError(Failures.grpc(failure));
              } else {
                observer.onNext(answer);
                observer.onCompleted();
              }
            });
  }

  private CompletableFuture<ModelInferResponse> infer(
      ServiceRequestContext context, ModelInferRequest message) {
    InferenceRequest request;
    Signature signature;
    List<RequestedOutput> outputs;
    try {
      ModelReference model = reference(message.getModelName(), message.getModelVersion());
      signature = calls.signature(context, model);
      outputs = InferMessages.outputs(message);
      request =
          InferMessages.request(
              context, model, message, new InferInputs(signature, calls.tensorBytes()), outputs);
    } catch (RuntimeException e) {
      ServingException why = Failures.of(e);
      calls.options().listener().malformed(InferMessages.PROTOCOL, message.getModelName(), why);
      return CompletableFuture.failedFuture(why);
    }
    return calls
        .infer(context, request)
        .thenApply(
            response -> {
              long start = System.nanoTime();
              ModelInferResponse answer =
                  InferMessages.response(message, outputs, signature, response);
              calls.options().listener().serialised(request, response, System.nanoTime() - start);
              return answer;
            });
  }

  /**
   * One answer for each request, in their order: the next is read when the last was answered. A
   * request that fails has its message in the answer and leaves the stream open.
   */
  @Override
  public StreamObserver<ModelInferRequest> modelStreamInfer(
      StreamObserver<ModelStreamInferResponse> observer) {
    ServiceRequestContext context = ServiceRequestContext.current();
    ServerCallStreamObserver<ModelStreamInferResponse> answers =
        (ServerCallStreamObserver<ModelStreamInferResponse>) observer;
    answers.disableAutoRequest();
    answers.request(1);
    return new InferStream(message -> infer(context, message), answers);
  }

  @Override
  public void repositoryIndex(
      RepositoryIndexRequest request, StreamObserver<RepositoryIndexResponse> observer) {
    answer(
        observer,
        () -> {
          RepositoryIndexResponse.Builder response = RepositoryIndexResponse.newBuilder();
          for (ModelStates.Entry entry : ModelStates.index(calls.models(), request.getReady())) {
            response.addModels(
                ModelIndex.newBuilder()
                    .setName(entry.name())
                    .setVersion(entry.version())
                    .setState(entry.state())
                    .setReason(entry.reason()));
          }
          return response.build();
        });
  }

  @Override
  public void repositoryModelLoad(
      RepositoryModelLoadRequest request, StreamObserver<RepositoryModelLoadResponse> observer) {
    change(
        "load",
        request.getModelName(),
        calls.models()::load,
        RepositoryModelLoadResponse.getDefaultInstance(),
        observer);
  }

  @Override
  public void repositoryModelUnload(
      RepositoryModelUnloadRequest request,
      StreamObserver<RepositoryModelUnloadResponse> observer) {
    change(
        "unload",
        request.getModelName(),
        calls.models()::unload,
        RepositoryModelUnloadResponse.getDefaultInstance(),
        observer);
  }

  private <T> void change(
      String action, String model, Consumer<String> change, T done, StreamObserver<T> observer) {
    ServiceRequestContext context = ServiceRequestContext.current();
    try {
      calls.checkAdmin(context, action + " " + model);
    } catch (RuntimeException e) {
      observer.onError(Failures.grpc(e));
      return;
    }
    context
        .blockingTaskExecutor()
        .execute(
            () ->
                answer(
                    observer,
                    () -> {
                      change.accept(model);
                      return done;
                    }));
  }

  private static <T> void answer(StreamObserver<T> observer, Supplier<T> answer) {
    T made;
    try {
      made = answer.get();
    } catch (RuntimeException e) {
      observer.onError(Failures.grpc(e));
      return;
    }
    observer.onNext(made);
    observer.onCompleted();
  }
}
