package dev.crema.serving.openinference;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.Endpoint;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.protocol.CallService;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.protocol.Failures;
import dev.crema.serving.protocol.Rest;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.NumberType;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The Open Inference Protocol v2 over REST, under {@code /v2}: liveness, readiness, metadata,
 * inference with the binary tensor and the classification extension, and the model repository
 * extension, of which load and unload are for administrators. Thread-safe.
 */
public final class OpenInferenceRest implements Endpoint {
  /** Bytes of JSON in a body that goes on with binary data. */
  static final String JSON_LENGTH = "inference-header-content-length";

  static final String PROTOCOL = "oip-rest";

  private static final String MODEL = "/v2/models/{model}";
  private static final String VERSION = MODEL + "/versions/{version}";
  private static final ResponseHeaders OK =
      ResponseHeaders.of(HttpStatus.OK, "content-type", MediaType.JSON);

  private final Calls calls;

  public OpenInferenceRest(Calls calls) {
    this.calls = calls;
  }

  @Override
  public void addTo(ServerBuilder server) {
    get(server, "/v2", context -> server());
    get(server, "/v2/", context -> server());
    get(server, "/v2/health/live", context -> health("live", true));
    get(server, "/v2/health/ready", context -> health("ready", calls.ready()));
    for (String path : List.of(MODEL, VERSION)) {
      get(server, path, context -> metadata(reference(context)));
      get(server, path + "/ready", context -> modelReady(reference(context)));
      post(server, path + "/infer", this::infer);
    }
    post(server, "/v2/repository/index", (context, request) -> index(context, request));
    post(server, "/v2/repository/models/{model}/load", (c, r) -> change(c, r, true));
    post(server, "/v2/repository/models/{model}/unload", (c, r) -> change(c, r, false));
  }

  private static void get(
      ServerBuilder server, String path, Function<ServiceRequestContext, HttpResponse> answer) {
    server.service(
        path,
        (context, request) -> {
          if (request.method() != HttpMethod.GET && request.method() != HttpMethod.HEAD) {
            return Rest.methodNotAllowed(request.method(), HttpMethod.GET);
          }
          try {
            return answer.apply(context);
          } catch (RuntimeException e) {
            return Rest.error(e);
          }
        });
  }

  private static void post(ServerBuilder server, String path, HttpService service) {
    HttpService checked =
        new CallService(
            (context, request) ->
                request.method() == HttpMethod.POST
                    ? service.serve(context, request)
                    : Rest.methodNotAllowed(request.method(), HttpMethod.POST));
    server.service(path, checked);
  }

  private static ModelReference reference(ServiceRequestContext context) {
    String version = context.pathParam("version");
    return Calls.reference(context.pathParam("model"), version == null ? "" : version);
  }

  private HttpResponse server() {
    return Rest.json(
        calls.json(),
        json -> {
          json.writeStartObject();
          json.writeStringField("name", ServerDescription.NAME);
          json.writeStringField("version", ServerDescription.version());
          json.writeArrayFieldStart("extensions");
          for (String extension : ServerDescription.EXTENSIONS) {
            json.writeString(extension);
          }
          json.writeEndArray();
          json.writeEndObject();
        });
  }

  private HttpResponse health(String field, boolean value) {
    return Rest.json(
        calls.json(),
        value ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE,
        "",
        json -> {
          json.writeStartObject();
          json.writeBooleanField(field, value);
          json.writeEndObject();
        });
  }

  private HttpResponse modelReady(ModelReference model) {
    boolean ready = ModelStates.isReady(calls.models(), model);
    return Rest.json(
        calls.json(),
        ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE,
        "",
        json -> {
          json.writeStartObject();
          json.writeStringField("name", model.name());
          json.writeBooleanField("ready", ready);
          json.writeEndObject();
        });
  }

  private HttpResponse metadata(ModelReference model) {
    Signature signature = calls.models().signature(model);
    List<String> versions = ModelStates.available(calls.models(), model.name());
    return Rest.json(
        calls.json(),
        json -> {
          json.writeStartObject();
          json.writeStringField("name", model.name());
          json.writeArrayFieldStart("versions");
          for (String version : versions) {
            json.writeString(version);
          }
          json.writeEndArray();
          json.writeStringField("platform", ServerDescription.PLATFORM);
          for (boolean in : new boolean[] {true, false}) {
            json.writeArrayFieldStart(in ? "inputs" : "outputs");
            for (TensorSpec spec : in ? signature.inputs() : signature.outputs()) {
              json.writeStartObject();
              json.writeStringField("name", spec.name());
              json.writeStringField("datatype", NumberType.of(spec.type()).name());
              json.writeArrayFieldStart("shape");
              for (long extent : spec.shape()) {
                json.writeNumber(extent);
              }
              json.writeEndArray();
              json.writeEndObject();
            }
            json.writeEndArray();
          }
          if (!signature.columns().isEmpty()) {
            json.writeObjectFieldStart("properties");
            for (var property : ColumnInputs.properties(signature).entrySet()) {
              json.writeStringField(property.getKey(), property.getValue());
            }
            json.writeEndObject();
          }
          json.writeEndObject();
        });
  }

  private HttpResponse infer(ServiceRequestContext context, HttpRequest http) {
    return Rest.withBody(
        context,
        http,
        body -> {
          InferBody read;
          Signature signature;
          InferenceRequest request;
          try {
            ModelReference model = reference(context);
            signature = calls.signature(context, model);
            read =
                InferBody.read(
                    calls.json(),
                    body,
                    jsonLength(http, body.length),
                    signature,
                    calls.tensorBytes());
            request = request(context, model, read);
          } catch (IOException | RuntimeException e) {
            ServingException why = Failures.of(e);
            calls
                .options()
                .listener()
                .malformed(PROTOCOL, String.valueOf(context.pathParam("model")), why);
            throw why;
          }
          return answer(context, request, read, signature);
        });
  }

  private CompletionStage<HttpResponse> answer(
      ServiceRequestContext context,
      InferenceRequest request,
      InferBody read,
      Signature signature) {
    boolean allBinary = RequestParameters.binaryOutputs(read.parameters());
    return calls
        .infer(context, request)
        .thenApply(
            response -> {
              long start = System.nanoTime();
              Map<String, RequestedOutput> requested =
                  read.outputs().isEmpty()
                      ? Map.of()
                      : read.outputs().stream()
                          .collect(Collectors.toMap(RequestedOutput::name, o -> o));
              HttpResponse answer =
                  new InferAnswer(response, signature, requested, allBinary).http(calls.json(), OK);
              calls.options().listener().serialised(request, response, System.nanoTime() - start);
              return answer;
            });
  }

  private static int jsonLength(HttpRequest http, int bodyLength) {
    String given = http.headers().get(JSON_LENGTH);
    if (given == null) {
      return bodyLength;
    }
    try {
      int length = Integer.parseInt(given.strip());
      if (length >= 0 && length <= bodyLength) {
        return length;
      }
    } catch (NumberFormatException e) {
      // refused below
    }
    throw ServingException.invalidArgument(
        "the header "
            + JSON_LENGTH
            + " takes the bytes of JSON, up to the "
            + bodyLength
            + " of the body, got \""
            + JsonFormat.shortened(given)
            + '"');
  }

  private static InferenceRequest request(
      ServiceRequestContext context, ModelReference model, InferBody read) {
    RequestParameters.binaryOutputs(read.parameters()); // refused before it is computed
    return new InferenceRequest(
        read.id().isEmpty() ? Calls.requestId(context) : read.id(),
        model,
        read.inputs(),
        read.rows(),
        RequestedOutput.names(read.outputs()),
        RequestParameters.deadline(read.parameters(), Calls.deadlineNanos(context)),
        RequestParameters.priority(read.parameters()),
        PROTOCOL);
  }

  private HttpResponse index(ServiceRequestContext context, HttpRequest request) {
    return Rest.withBody(
        context,
        request,
        body -> {
          boolean readyOnly = readyOnly(body);
          List<ModelStates.Entry> entries = ModelStates.index(calls.models(), readyOnly);
          return CompletableFuture.completedFuture(
              Rest.json(
                  calls.json(),
                  json -> {
                    json.writeStartArray();
                    for (ModelStates.Entry entry : entries) {
                      json.writeStartObject();
                      json.writeStringField("name", entry.name());
                      if (!entry.version().isEmpty()) {
                        json.writeStringField("version", entry.version());
                      }
                      json.writeStringField("state", entry.state());
                      json.writeStringField("reason", entry.reason());
                      json.writeEndObject();
                    }
                    json.writeEndArray();
                  }));
        });
  }

  /** {"ready": true}; the body may be missing. */
  private boolean readyOnly(byte[] body) throws IOException {
    boolean ready = false;
    try (JsonParser json = calls.json().parser(body, 0, body.length)) {
      if (json.nextToken() == null) {
        return false;
      }
      if (json.currentToken() != JsonToken.START_OBJECT) {
        throw ServingException.invalidArgument(
            "The body must be a JSON object, got " + JsonFormat.describe(json));
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        boolean asked = json.currentName().equals("ready");
        JsonToken value = json.nextToken();
        if (asked && value != JsonToken.VALUE_TRUE && value != JsonToken.VALUE_FALSE) {
          throw ServingException.invalidArgument(
              "'ready' must be true or false, got " + JsonFormat.describe(json));
        }
        ready = asked ? value == JsonToken.VALUE_TRUE : ready;
        json.skipChildren();
      }
    }
    return ready;
  }

  /** The body may hold parameters, none of which mean anything here: it is not looked at. */
  private HttpResponse change(ServiceRequestContext context, HttpRequest request, boolean load) {
    return Rest.withBody(
        context,
        request,
        body -> {
          String model = context.pathParam("model");
          calls.checkAdmin(context, (load ? "load " : "unload ") + model);
          return CompletableFuture.supplyAsync(
              () -> {
                if (load) {
                  calls.models().load(model);
                } else {
                  calls.models().unload(model);
                }
                return Rest.json(
                    calls.json(),
                    json -> {
                      json.writeStartObject();
                      json.writeEndObject();
                    });
              },
              context.blockingTaskExecutor());
        });
  }
}
