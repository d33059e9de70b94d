package dev.crema.serving.openapi;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Operations of an OpenAPI document. */
final class Operations {
  private Operations() {}

  /** An operation without a body, whose answer has a schema. */
  static ObjectNode get(ObjectNode paths, String path, String id, String summary, String answer) {
    return operation(paths, path, "get", id, summary, answer);
  }

  /** One with a body. */
  static ObjectNode post(
      ObjectNode paths, String path, String id, String summary, String body, String answer) {
    ObjectNode operation = operation(paths, path, "post", id, summary, answer);
    ObjectNode request = operation.putObject("requestBody");
    request.put("required", true);
    content(request, body);
    return operation;
  }

  /** Adds a parameter of the path. */
  static void parameter(ObjectNode operation, String name, String type) {
    ObjectNode parameter = operation.withArrayProperty("parameters").addObject();
    parameter.put("name", name).put("in", "path").put("required", true);
    parameter.putObject("schema").put("type", type);
  }

  private static ObjectNode operation(
      ObjectNode paths, String path, String method, String id, String summary, String answer) {
    ObjectNode operation = paths.withObjectProperty(path).putObject(method);
    operation.put("operationId", id);
    operation.put("summary", summary);
    ObjectNode responses = operation.putObject("responses");
    ObjectNode ok = responses.putObject("200");
    ok.put("description", "OK");
    content(ok, answer);
    ObjectNode error = responses.putObject("default");
    error.put("description", "What was wrong with the request, or with the server");
    content(error, "Error");
    return operation;
  }

  private static void content(ObjectNode owner, String schema) {
    owner
        .putObject("content")
        .putObject("application/json")
        .putObject("schema")
        .put("$ref", "#/components/schemas/" + schema);
  }
}
