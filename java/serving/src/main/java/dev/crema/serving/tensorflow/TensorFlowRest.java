package dev.crema.serving.tensorflow;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.Endpoint;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocol.CallService;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.protocol.Failures;
import dev.crema.serving.protocol.Rest;
import dev.crema.serving.protocols.tensorflow.serving.Input;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.VersionStatus;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * TensorFlow Serving's REST interface: under {@code /v1/models/{model}}, perhaps with {@code
 * /versions/{version}} or {@code /labels/{label}}, the states of versions, {@code /metadata} of a
 * signature, and {@code :predict}, {@code :classify} and {@code :regress}. Thread-safe.
 */
public final class TensorFlowRest implements Endpoint {
  static final String PROTOCOL = "tfs-rest";

  private static final String MODEL = "/v1/models/{model}";

  private final Calls calls;

  public TensorFlowRest(Calls calls) {
    this.calls = calls;
  }

  @Override
  public void addTo(ServerBuilder server) {
    HttpService model = call("model", this::latest);
    HttpService version = call("version", this::numbered);
    HttpService label = call("label", this::labelled);
    HttpService status =
        (context, request) ->
            request.method() == HttpMethod.GET || request.method() == HttpMethod.HEAD
                ? Rest.error(ServingException.invalidArgument("Missing model name in request."))
                : Rest.methodNotAllowed(request.method(), HttpMethod.GET);
    server.service("/v1/models", status);
    server.service(MODEL, model);
    server.service(MODEL + "/versions/{version}", version);
    server.service(MODEL + "/labels/{label}", label);
    server.service(MODEL + "/metadata", (c, r) -> metadata(c, r, this::latest, ""));
    server.service(
        MODEL + "/versions/{version}/metadata",
        (c, r) -> metadata(c, r, this::numbered, c.pathParam("version")));
    server.service(
        MODEL + "/labels/{label}/metadata",
        (c, r) -> metadata(c, r, this::labelled, c.pathParam("label")));
  }

  private HttpService call(String last, Choice choice) {
    return new CallService((context, request) -> serve(context, request, last, choice));
  }

  /** Which version the end of a path means. */
  @FunctionalInterface
  private interface Choice {
    ModelReference of(ServiceRequestContext context, String last);
  }

  private ModelReference latest(ServiceRequestContext context, String model) {
    return ModelReference.of(model.isEmpty() ? context.pathParam("model") : model);
  }

  private ModelReference numbered(ServiceRequestContext context, String version) {
    return ModelReference.version(context.pathParam("model"), Calls.versionNumber(version));
  }

  private ModelReference labelled(ServiceRequestContext context, String label) {
    return ModelReference.label(context.pathParam("model"), label);
  }

  /**
   * @param last the parameter at the end of the path, which may end in a verb
   */
  private HttpResponse serve(
      ServiceRequestContext context, HttpRequest request, String last, Choice choice) {
    String given = context.pathParam(last);
    int colon = given.lastIndexOf(':');
    try {
      if (colon < 0) {
        return request.method() == HttpMethod.GET || request.method() == HttpMethod.HEAD
            ? status(choice.of(context, given))
            : Rest.methodNotAllowed(request.method(), HttpMethod.GET);
      }
      String verb = given.substring(colon + 1);
      String name = given.substring(0, colon);
      return switch (verb) {
        case "predict", "classify", "regress" -> {
          if (request.method() != HttpMethod.POST) {
            yield Rest.methodNotAllowed(request.method(), HttpMethod.POST);
          }
          ModelReference model = name.isEmpty() ? null : choice.of(context, name);
          if (model == null) {
            yield Rest.unknownPath(request.method(), context.path());
          }
          yield Rest.withBody(
              context,
              request,
              body ->
                  verb.equals("predict")
                      ? predict(context, model, body)
                      : examples(context, model, body, verb.equals("classify")));
        }
        default -> Rest.unknownPath(request.method(), context.path());
      };
    } catch (RuntimeException e) {
      return Rest.error(e);
    }
  }

  private HttpResponse status(ModelReference model) {
    List<VersionStatus> versions = VersionQuery.versions(calls.models(), model);
    return Rest.json(
        calls.json(), json -> ModelDocuments.writeStatus(json, ModelDocuments.status(versions)));
  }

  private HttpResponse metadata(
      ServiceRequestContext context, HttpRequest request, Choice choice, String last) {
    try {
      if (request.method() != HttpMethod.GET && request.method() != HttpMethod.HEAD) {
        return Rest.methodNotAllowed(request.method(), HttpMethod.GET);
      }
      ModelReference model = choice.of(context, last);
      Signature signature = calls.models().signature(model);
      long version = calls.models().resolve(model).version();
      return Rest.json(
          calls.json(),
          json ->
              ModelDocuments.writeMetadata(
                  json, model.name(), version, ModelDocuments.signatures(signature)));
    } catch (RuntimeException e) {
      return Rest.error(e);
    }
  }

  private CompletionStage<HttpResponse> predict(
      ServiceRequestContext context, ModelReference model, byte[] body) throws IOException {
    InferenceRequest request;
    boolean rows;
    try {
      Signature signature = calls.signature(context, model);
      PredictBody read = PredictBody.read(calls.json(), body, signature, calls.tensorBytes());
      rows = read.rows();
      request = request(context, model, read.inputs(), read.table(), List.of());
    } catch (IOException | RuntimeException e) {
      throw malformed(model, e);
    }
    return answer(context, request, response -> json -> Predictions.write(json, response, rows));
  }

  private CompletionStage<HttpResponse> examples(
      ServiceRequestContext context, ModelReference model, byte[] body, boolean classify)
      throws IOException {
    InferenceRequest request;
    Signature signature;
    try {
      signature = calls.signature(context, model);
      Input input =
          ExamplesBody.read(
              calls.json(), body, classify ? SignatureNames.CLASSIFY : SignatureNames.REGRESS);
      List<String> outputs = List.of(signature.outputs().get(0).name());
      request =
          Examples.areRows(input, signature)
              ? request(
                  context,
                  model,
                  Map.of(),
                  TableRows.of(input, signature, calls.tensorBytes()),
                  outputs)
              : request(
                  context,
                  model,
                  Examples.inputs(input, signature, calls.tensorBytes()),
                  List.of(),
                  outputs);
    } catch (IOException | RuntimeException e) {
      throw malformed(model, e);
    }
    return answer(
        context,
        request,
        response ->
            classify
                ? Predictions.of(Scores.classify(response, signature))
                : Predictions.of(Scores.regress(response, signature)));
  }

  /** Computes, and writes what comes of it. */
  private CompletionStage<HttpResponse> answer(
      ServiceRequestContext context,
      InferenceRequest request,
      Function<InferenceResponse, Rest.Content> content) {
    return calls
        .infer(context, request)
        .thenApply(
            response -> {
              long start = System.nanoTime();
              HttpResponse answer =
                  Rest.json(calls.json(), HttpStatus.OK, request.id(), content.apply(response));
              calls.options().listener().serialised(request, response, System.nanoTime() - start);
              return answer;
            });
  }

  private static InferenceRequest request(
      ServiceRequestContext context,
      ModelReference model,
      Map<String, TensorValue> inputs,
      List<Map<String, String>> rows,
      List<String> outputs) {
    return new InferenceRequest(
        Calls.requestId(context),
        model,
        inputs,
        rows,
        outputs,
        Calls.deadlineNanos(context),
        0,
        PROTOCOL);
  }

  private ServingException malformed(ModelReference model, Exception e) {
    ServingException why = Failures.of(e);
    calls.options().listener().malformed(PROTOCOL, model.name(), why);
    return why;
  }
}
