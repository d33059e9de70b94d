package dev.crema.serving.openapi;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Schemas that all models share. */
final class CommonSchemas {
  private CommonSchemas() {}

  static void add(ObjectNode schemas) {
    Schemas.type(Schemas.object(schemas.putObject("Error"), "error").putObject("error"), "string");
    Schemas.type(Schemas.object(schemas.putObject("Live"), "live").putObject("live"), "boolean");
    Schemas.type(Schemas.object(schemas.putObject("Ready"), "ready").putObject("ready"), "boolean");
    ObjectNode ready = Schemas.object(schemas.putObject("ModelReady"), "name", "ready");
    Schemas.type(ready.putObject("name"), "string");
    Schemas.type(ready.putObject("ready"), "boolean");
    ObjectNode server =
        Schemas.object(schemas.putObject("ServerMetadata"), "name", "version", "extensions");
    Schemas.type(server.putObject("name"), "string");
    Schemas.type(server.putObject("version"), "string");
    Schemas.type(Schemas.list(server.putObject("extensions")), "string");
    status(schemas);
    metadata(schemas);
    repository(schemas);
    examples(schemas);
    Schemas.object(schemas.putObject("Parameters"));
    ((ObjectNode) schemas.get("Parameters"))
        .putObject("additionalProperties")
        .putArray("type")
        .add("string")
        .add("number")
        .add("boolean");
  }

  private static void status(ObjectNode schemas) {
    ObjectNode all = Schemas.object(schemas.putObject("ModelStatus"), "model_version_status");
    ObjectNode version =
        Schemas.object(
            Schemas.list(all.putObject("model_version_status")), "version", "state", "status");
    Schemas.type(version.putObject("version"), "string");
    version
        .putObject("state")
        .putArray("enum")
        .add("START")
        .add("LOADING")
        .add("AVAILABLE")
        .add("UNLOADING")
        .add("END");
    ObjectNode status = Schemas.object(version.putObject("status"), "error_code", "error_message");
    Schemas.type(status.putObject("error_code"), "string");
    Schemas.type(status.putObject("error_message"), "string");
  }

  private static void metadata(ObjectNode schemas) {
    ObjectNode tensor =
        Schemas.object(schemas.putObject("TensorMetadata"), "name", "datatype", "shape");
    Schemas.type(tensor.putObject("name"), "string");
    Schemas.type(tensor.putObject("datatype"), "string");
    Schemas.type(Schemas.list(tensor.putObject("shape")), "integer");
    ObjectNode model =
        Schemas.object(schemas.putObject("ModelMetadata"), "name", "platform", "inputs", "outputs");
    Schemas.type(model.putObject("name"), "string");
    Schemas.type(Schemas.list(model.putObject("versions")), "string");
    Schemas.type(model.putObject("platform"), "string");
    Schemas.reference(Schemas.list(model.putObject("inputs")), "TensorMetadata");
    Schemas.reference(Schemas.list(model.putObject("outputs")), "TensorMetadata");
    ObjectNode signature =
        Schemas.object(schemas.putObject("SignatureMetadata"), "model_spec", "metadata");
    Schemas.type(signature.putObject("model_spec"), "object");
    Schemas.type(signature.putObject("metadata"), "object");
  }

  /** Of TensorFlow's classify and regress. */
  private static void examples(ObjectNode schemas) {
    ObjectNode request = Schemas.object(schemas.putObject("ExamplesRequest"), "examples");
    Schemas.type(request.putObject("signature_name"), "string");
    Schemas.reference(request.putObject("context"), "Features");
    Schemas.reference(Schemas.list(request.putObject("examples")), "Features");
    ObjectNode features = schemas.putObject("Features");
    Schemas.object(features);
    features.put("description", "By an input's name its numbers, or by a column's name its value");
    ObjectNode classes = Schemas.object(schemas.putObject("ClassifyResponse"), "results");
    ObjectNode scored = Schemas.list(Schemas.list(classes.putObject("results")));
    scored.put("description", "Label and score");
    Schemas.list(scored).putArray("type").add("string").add("number");
    ObjectNode numbers = Schemas.object(schemas.putObject("RegressResponse"), "results");
    Schemas.type(Schemas.list(numbers.putObject("results")), "number");
  }

  private static void repository(ObjectNode schemas) {
    Schemas.object(schemas.putObject("RepositoryChange"));
    ObjectNode request = Schemas.object(schemas.putObject("RepositoryIndexRequest"));
    Schemas.type(request.putObject("ready"), "boolean");
    ObjectNode entry =
        Schemas.object(
            Schemas.list(schemas.putObject("RepositoryIndex")), "name", "state", "reason");
    for (String field : new String[] {"name", "version", "state", "reason"}) {
      Schemas.type(entry.putObject(field), "string");
    }
  }
}
