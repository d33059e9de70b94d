package dev.crema.serving.tensorflow;

import com.google.protobuf.Any;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.protocol.Failures;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.protocols.tensorflow.serving.ClassificationRequest;
import dev.crema.serving.protocols.tensorflow.serving.ClassificationResponse;
import dev.crema.serving.protocols.tensorflow.serving.GetModelMetadataRequest;
import dev.crema.serving.protocols.tensorflow.serving.GetModelMetadataResponse;
import dev.crema.serving.protocols.tensorflow.serving.InferenceResult;
import dev.crema.serving.protocols.tensorflow.serving.InferenceTask;
import dev.crema.serving.protocols.tensorflow.serving.Input;
import dev.crema.serving.protocols.tensorflow.serving.ModelSpec;
import dev.crema.serving.protocols.tensorflow.serving.MultiInferenceRequest;
import dev.crema.serving.protocols.tensorflow.serving.MultiInferenceResponse;
import dev.crema.serving.protocols.tensorflow.serving.PredictRequest;
import dev.crema.serving.protocols.tensorflow.serving.PredictResponse;
import dev.crema.serving.protocols.tensorflow.serving.PredictionServiceGrpc;
import dev.crema.serving.protocols.tensorflow.serving.RegressionRequest;
import dev.crema.serving.protocols.tensorflow.serving.RegressionResponse;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.TableColumns;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

/** TensorFlow Serving's gRPC service for predictions. Thread-safe. */
public final class PredictionService extends PredictionServiceGrpc.PredictionServiceImplBase {
  static final String PROTOCOL = "tfs-grpc";

  private static final String SIGNATURES = "signature_def";

  private final Calls calls;

  public PredictionService(Calls calls) {
    this.calls = calls;
  }

  @Override
  public void predict(PredictRequest request, StreamObserver<PredictResponse> observer) {
    answer(
        observer,
        request.getModelSpec(),
        () -> {
          ModelReference model = ModelSpecs.reference(request.getModelSpec());
          Signature signature = calls.signature(ServiceRequestContext.current(), model);
          SignatureNames.check(request.getModelSpec().getSignatureName(), SignatureNames.PREDICT);
          Map<String, TensorProto> sent = request.getInputsMap();
          boolean columns = ColumnTensors.areColumns(sent, signature);
          return request(
              model,
              columns ? Map.of() : inputs(sent, signature, calls.tensorBytes()),
              columns ? ColumnTensors.rows(sent, signature, calls.tensorBytes()) : List.of(),
              request.getOutputFilterList());
        },
        response -> {
          PredictResponse.Builder built =
              PredictResponse.newBuilder()
                  .setModelSpec(ModelSpecs.answered(response.model(), response.version()));
          response
              .outputs()
              .forEach((name, value) -> built.putOutputs(name, TensorProtos.write(value)));
          return built.build();
        });
  }

  private static Map<String, TensorValue> inputs(
      Map<String, TensorProto> sent, Signature signature, long tensorBytes) {
    Map<String, TensorValue> inputs = new LinkedHashMap<>();
    for (TensorSpec spec : signature.inputs()) {
      TensorProto tensor = sent.get(spec.name());
      if (tensor == null) {
        throw mismatch(sent, signature);
      }
      inputs.put(spec.name(), TensorProtos.read(spec, tensor, signature.pixelScale(), tensorBytes));
    }
    if (sent.size() != inputs.size()) {
      throw mismatch(sent, signature);
    }
    return inputs;
  }

  private static ServingException mismatch(Map<String, TensorProto> sent, Signature signature) {
    return ServingException.invalidArgument(
        "The model takes the inputs "
            + signature.inputs()
            + (signature.columns().isEmpty()
                ? ""
                : " or the columns " + TableColumns.names(signature))
            + ", got "
            + JsonFormat.shortened(sent.keySet().toString()));
  }

  @Override
  public void classify(
      ClassificationRequest request, StreamObserver<ClassificationResponse> observer) {
    examples(
        observer,
        request.getModelSpec(),
        request.getInput(),
        SignatureNames.CLASSIFY,
        (response, signature) ->
            ClassificationResponse.newBuilder()
                .setModelSpec(ModelSpecs.answered(response.model(), response.version()))
                .setResult(Scores.classify(response, signature))
                .build());
  }

  @Override
  public void regress(RegressionRequest request, StreamObserver<RegressionResponse> observer) {
    examples(
        observer,
        request.getModelSpec(),
        request.getInput(),
        SignatureNames.REGRESS,
        (response, signature) ->
            RegressionResponse.newBuilder()
                .setModelSpec(ModelSpecs.answered(response.model(), response.version()))
                .setResult(Scores.regress(response, signature))
                .build());
  }

  /** Makes the answer to examples. */
  @FunctionalInterface
  private interface Scoring<T> {
    T of(InferenceResponse response, Signature signature);
  }

  private <T> void examples(
      StreamObserver<T> observer, ModelSpec spec, Input input, String method, Scoring<T> scoring) {
    Signature[] signature = new Signature[1];
    answer(
        observer,
        spec,
        () -> {
          ModelReference model = ModelSpecs.reference(spec);
          signature[0] = calls.signature(ServiceRequestContext.current(), model);
          return scored(model, spec, input, method, signature[0]);
        },
        response -> scoring.of(response, signature[0]));
  }

  private InferenceRequest scored(
      ModelReference model, ModelSpec spec, Input input, String method, Signature signature) {
    SignatureNames.check(spec.getSignatureName(), method);
    List<String> outputs = List.of(signature.outputs().get(0).name());
    return Examples.areRows(input, signature)
        ? request(model, Map.of(), TableRows.of(input, signature, calls.tensorBytes()), outputs)
        : request(
            model, Examples.inputs(input, signature, calls.tensorBytes()), List.of(), outputs);
  }

  /** Several answers to the same examples, all of one model. */
  @Override
  public void multiInference(
      MultiInferenceRequest request, StreamObserver<MultiInferenceResponse> observer) {
    ServiceRequestContext context = ServiceRequestContext.current();
    List<CompletableFuture<InferenceResult>> results = new ArrayList<>();
    try {
      if (request.getTasksCount() == 0) {
        throw ServingException.invalidArgument("Inference request has no tasks");
      }
      if (request.getTasksCount() > MAX_TASKS) {
        throw ServingException.invalidArgument(
            "Inference request has " + request.getTasksCount() + " tasks, at most " + MAX_TASKS);
      }
      String model = request.getTasks(0).getModelSpec().getName();
      List<InferenceRequest> requests = new ArrayList<>();
      List<Signature> signatures = new ArrayList<>();
      for (InferenceTask task : request.getTasksList()) {
        if (!task.getModelSpec().getName().equals(model)) {
          throw ServingException.invalidArgument(
              "All ModelSpecs in a MultiInferenceRequest must access the same model name");
        }
        if (!task.getMethodName().equals(SignatureNames.CLASSIFY)
            && !task.getMethodName().equals(SignatureNames.REGRESS)) {
          throw new ServingException(
              ServingException.Code.UNIMPLEMENTED,
              "Unsupported signature method_name: "
                  + JsonFormat.shortened(task.getMethodName())
                  + "; there are "
                  + SignatureNames.CLASSIFY
                  + " and "
                  + SignatureNames.REGRESS);
        }
        ModelReference reference = ModelSpecs.reference(task.getModelSpec());
        Signature signature = calls.signature(context, reference);
        signatures.add(signature);
        requests.add(
            scored(
                reference,
                task.getModelSpec(),
                request.getInput(),
                task.getMethodName(),
                signature));
      }
      for (int i = 0; i < requests.size(); i++) {
        boolean classify = request.getTasks(i).getMethodName().equals(SignatureNames.CLASSIFY);
        Signature signature = signatures.get(i);
        results.add(
            calls
                .infer(context, requests.get(i))
                .thenApply(response -> result(response, signature, classify)));
      }
    } catch (RuntimeException e) {
      malformed(
          observer,
          request.getTasksCount() == 0 ? "" : request.getTasks(0).getModelSpec().getName(),
          e);
      return;
    }
    CompletableFuture.allOf(results.toArray(new CompletableFuture<?>[0]))
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                observer.onError(Failures.grpc(failure));
                return;
              }
              MultiInferenceResponse.Builder response = MultiInferenceResponse.newBuilder();
              results.forEach(r -> response.addResults(r.join()));
              observer.onNext(response.build());
              observer.onCompleted();
            });
  }

  /** Heads of one model; more is a mistake. */
  private static final int MAX_TASKS = 64;

  private static InferenceResult result(
      InferenceResponse response, Signature signature, boolean classify) {
    InferenceResult.Builder result =
        InferenceResult.newBuilder()
            .setModelSpec(ModelSpecs.answered(response.model(), response.version()));
    return classify
        ? result.setClassificationResult(Scores.classify(response, signature)).build()
        : result.setRegressionResult(Scores.regress(response, signature)).build();
  }

  @Override
  public void getModelMetadata(
      GetModelMetadataRequest request, StreamObserver<GetModelMetadataResponse> observer) {
    try {
      if (request.getMetadataFieldCount() == 0) {
        throw ServingException.invalidArgument(
            "GetModelMetadataRequest must specify at least one metadata_field");
      }
      for (String field : request.getMetadataFieldList()) {
        if (!field.equals(SIGNATURES)) {
          throw ServingException.invalidArgument(
              "Metadata field " + JsonFormat.shortened(field) + " is not supported");
        }
      }
      ModelReference model = ModelSpecs.reference(request.getModelSpec());
      Signature signature = calls.models().signature(model);
      long version = calls.models().resolve(model).version();
      observer.onNext(
          GetModelMetadataResponse.newBuilder()
              .setModelSpec(
                  ModelSpecs.answered(model.name(), version).toBuilder().clearSignatureName())
              .putMetadata(SIGNATURES, Any.pack(ModelDocuments.signatures(signature)))
              .build());
      observer.onCompleted();
    } catch (RuntimeException e) {
      observer.onError(Failures.grpc(e));
    }
  }

  private static InferenceRequest request(
      ModelReference model,
      Map<String, TensorValue> inputs,
      List<Map<String, String>> rows,
      List<String> outputs) {
    ServiceRequestContext context = ServiceRequestContext.current();
    return new InferenceRequest(
        Calls.requestId(context),
        model,
        inputs,
        rows,
        List.copyOf(outputs),
        Calls.deadlineNanos(context),
        0,
        PROTOCOL);
  }

  private <T> void answer(
      StreamObserver<T> observer,
      ModelSpec spec,
      Supplier<InferenceRequest> made,
      Function<InferenceResponse, T> written) {
    ServiceRequestContext context = ServiceRequestContext.current();
    InferenceRequest request;
    try {
      request = made.get();
    } catch (RuntimeException e) {
      malformed(observer, spec.getName(), e);
      return;
    }
    calls
        .infer(context, request)
        .thenApply(
            response -> {
              long start = System.nanoTime();
              T answer = written.apply(response);
              calls.options().listener().serialised(request, response, System.nanoTime() - start);
              return answer;
            })
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

  private void malformed(StreamObserver<?> observer, String model, RuntimeException e) {
    ServingException why = Failures.of(e);
    calls.options().listener().malformed(PROTOCOL, model, why);
    observer.onError(Failures.grpc(why));
  }
}
