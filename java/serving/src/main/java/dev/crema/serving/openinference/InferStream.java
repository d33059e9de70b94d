package dev.crema.serving.openinference;

import dev.crema.serving.protocol.Failures;
import dev.crema.serving.protocols.inference.ModelInferRequest;
import dev.crema.serving.protocols.inference.ModelInferResponse;
import dev.crema.serving.protocols.inference.ModelStreamInferResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** A stream of requests, answered one after the other. */
final class InferStream implements StreamObserver<ModelInferRequest> {
  private final Function<ModelInferRequest, CompletableFuture<ModelInferResponse>> infer;
  private final ServerCallStreamObserver<ModelStreamInferResponse> answers;
  private boolean answering; // guarded by this
  private boolean ended; // guarded by this

  InferStream(
      Function<ModelInferRequest, CompletableFuture<ModelInferResponse>> infer,
      ServerCallStreamObserver<ModelStreamInferResponse> answers) {
    this.infer = infer;
    this.answers = answers;
  }

  @Override
  public void onNext(ModelInferRequest request) {
    synchronized (this) {
      answering = true;
    }
    infer.apply(request).whenComplete((answer, failure) -> answer(answer, failure));
  }

  private void answer(ModelInferResponse answer, Throwable failure) {
    ModelStreamInferResponse.Builder message = ModelStreamInferResponse.newBuilder();
    if (failure == null) {
      message.setInferResponse(answer);
    } else {
      message.setErrorMessage(Failures.of(failure).getMessage());
    }
    synchronized (this) {
      if (answers.isCancelled()) {
        return;
      }
      answering = false;
      answers.onNext(message.build());
      if (ended) {
        answers.onCompleted();
      } else {
        answers.request(1);
      }
    }
  }

  /** The client has gone: there is nobody to tell. */
  @Override
  public void onError(Throwable failure) {}

  @Override
  public void onCompleted() {
    synchronized (this) {
      ended = true;
      if (!answering) {
        answers.onCompleted();
      }
    }
  }
}
