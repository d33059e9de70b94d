package dev.crema.serving.openapi;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.Endpoint;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.protocol.Rest;
import dev.crema.serving.repository.ModelReference;
import java.io.IOException;

/**
 * {@code /openapi.json}: OpenAPI 3.1 of the REST protocols, with the schemas of the signatures of
 * those models that serve now and that the client may use. Thread-safe.
 */
public final class OpenApi implements Endpoint {
  private final Calls calls;
  private final ObjectMapper mapper = new ObjectMapper();

  public OpenApi(Calls calls) {
    this.calls = calls;
  }

  @Override
  public void addTo(ServerBuilder server) {
    server.service(
        "/openapi.json",
        (context, request) ->
            request.method() == HttpMethod.GET || request.method() == HttpMethod.HEAD
                ? document(context)
                : Rest.methodNotAllowed(request.method(), HttpMethod.GET));
  }

  private HttpResponse document(ServiceRequestContext context) {
    try {
      return HttpResponse.of(
          HttpStatus.OK, MediaType.JSON, HttpData.wrap(mapper.writeValueAsBytes(build(context))));
    } catch (IOException | RuntimeException e) {
      return Rest.error(e);
    }
  }

  /** A key in either header, where the server has keys. */
  private static void security(ObjectNode document, ObjectNode schemes) {
    schemes.putObject("bearer").put("type", "http").put("scheme", "bearer");
    ObjectNode key = schemes.putObject("key");
    key.put("type", "apiKey").put("in", "header").put("name", "x-api-key");
    var choices = document.putArray("security");
    choices.addObject();
    choices.addObject().putArray("bearer");
    choices.addObject().putArray("key");
  }

  private ObjectNode build(ServiceRequestContext context) {
    ObjectNode document = JsonNodeFactory.instance.objectNode();
    document.put("openapi", "3.1.0");
    ObjectNode info = document.putObject("info");
    info.put("title", "Crema");
    info.put("version", "1");
    info.put(
        "description",
        "TensorFlow Serving's REST interface (/v1) and the Open Inference Protocol v2 (/v2).");
    ObjectNode paths = document.putObject("paths");
    ObjectNode components = document.putObject("components");
    ObjectNode schemas = components.putObject("schemas");
    security(document, components.putObject("securitySchemes"));
    CommonSchemas.add(schemas);
    ServerPaths.add(paths);
    for (String model : calls.models().names()) {
      Signature signature;
      try {
        signature = calls.signature(context, ModelReference.of(model));
      } catch (ServingException e) {
        continue; // not for this client, or not serving
      }
      new ModelPaths(model, signature).add(paths, schemas);
    }
    return document;
  }
}
