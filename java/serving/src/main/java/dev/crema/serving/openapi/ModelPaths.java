package dev.crema.serving.openapi;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.tensor.NumberType;
import java.util.List;

/** Operations and schemas of one model. */
final class ModelPaths {
  private final String model;
  private final String prefix; // of schemas and operations
  private final Signature signature;

  ModelPaths(String model, Signature signature) {
    this.model = model;
    this.signature = signature;
    prefix = model.replaceAll("[^A-Za-z0-9._-]", "_") + '.';
  }

  void add(ObjectNode paths, ObjectNode schemas) {
    String tensorFlow = "/v1/models/" + model;
    String open = "/v2/models/" + model;
    Operations.get(paths, tensorFlow, prefix + "status", "States of versions", "ModelStatus");
    Operations.get(
        paths, tensorFlow + "/metadata", prefix + "signature", "Signature", "SignatureMetadata");
    predictRequest(schemas.putObject(prefix + "PredictRequest"));
    predictResponse(schemas.putObject(prefix + "PredictResponse"));
    Operations.post(
        paths,
        tensorFlow + ":predict",
        prefix + "predict",
        "Outputs for examples, in rows or in columns",
        prefix + "PredictRequest",
        prefix + "PredictResponse");
    Operations.get(paths, open, prefix + "metadata", "Versions and signature", "ModelMetadata");
    Operations.get(
        paths, open + "/ready", prefix + "ready", "Whether the model serves", "ModelReady");
    inferRequest(schemas.putObject(prefix + "InferRequest"));
    inferResponse(schemas.putObject(prefix + "InferResponse"));
    Operations.post(
        paths,
        open + "/infer",
        prefix + "infer",
        "Outputs for tensors",
        prefix + "InferRequest",
        prefix + "InferResponse");
  }

  private void predictRequest(ObjectNode schema) {
    var forms = schema.putArray("oneOf");
    for (boolean rows : new boolean[] {true, false}) {
      String field = rows ? "instances" : "inputs";
      ObjectNode fields = Schemas.object(forms.addObject(), field);
      Schemas.type(fields.putObject("signature_name"), "string");
      values(fields.putObject(field), signature.inputs(), rows);
    }
    if (!signature.columns().isEmpty()) {
      rows(Schemas.list(Schemas.object(forms.addObject(), "instances").putObject("instances")));
    }
  }

  /** A row of the table that the model learnt from. */
  private void rows(ObjectNode schema) {
    ObjectNode fields = Schemas.object(schema);
    for (ColumnSpec column : signature.columns()) {
      value(fields.putObject(column.name()), column);
    }
  }

  private static void value(ObjectNode schema, ColumnSpec column) {
    switch (column.kind()) {
      case NUMERIC -> schema.putArray("type").add("number").add("string").add("null");
      case DATE -> schema.putArray("type").add("string").add("null");
      case CATEGORICAL -> {
        schema.putArray("type").add("string").add("number").add("boolean").add("null");
        var examples = schema.putArray("examples");
        column.categories().stream().limit(20).forEach(examples::add);
      }
    }
  }

  private void predictResponse(ObjectNode schema) {
    var forms = schema.putArray("oneOf");
    for (boolean rows : new boolean[] {true, false}) {
      String field = rows ? "predictions" : "outputs";
      ObjectNode fields = Schemas.object(forms.addObject(), field);
      values(fields.putObject(field), signature.outputs(), rows);
    }
  }

  /** A single tensor goes without its name. */
  private static void values(ObjectNode schema, List<TensorSpec> specs, boolean rows) {
    if (specs.size() == 1) {
      Schemas.tensor(schema, specs.get(0).type(), specs.get(0).shape());
      return;
    }
    ObjectNode holder = rows ? Schemas.list(schema) : schema;
    ObjectNode fields =
        Schemas.object(holder, specs.stream().map(TensorSpec::name).toArray(String[]::new));
    for (TensorSpec spec : specs) {
      List<Long> shape = spec.shape();
      Schemas.tensor(
          fields.putObject(spec.name()),
          spec.type(),
          rows && !shape.isEmpty() ? shape.subList(1, shape.size()) : shape);
    }
  }

  private void inferRequest(ObjectNode schema) {
    ObjectNode fields = Schemas.object(schema, "inputs");
    Schemas.type(fields.putObject("id"), "string");
    Schemas.reference(fields.putObject("parameters"), "Parameters");
    var forms = tensors(fields.putObject("inputs"), signature.inputs());
    signature.columns().forEach(column -> column(forms.addObject(), column));
    ObjectNode output = Schemas.object(Schemas.list(fields.putObject("outputs")), "name");
    names(output.putObject("name"), signature.outputs());
    Schemas.reference(output.putObject("parameters"), "Parameters");
  }

  private void inferResponse(ObjectNode schema) {
    ObjectNode fields = Schemas.object(schema, "model_name", "outputs");
    Schemas.type(fields.putObject("model_name"), "string");
    Schemas.type(fields.putObject("model_version"), "string");
    Schemas.type(fields.putObject("id"), "string");
    tensors(fields.putObject("outputs"), signature.outputs());
  }

  /** Columns come as tensors of one value a row. */
  private static void column(ObjectNode schema, ColumnSpec column) {
    ObjectNode fields = Schemas.object(schema, "name", "shape", "datatype");
    fields.putObject("name").put("const", column.name());
    fields
        .putObject("datatype")
        .put("default", column.kind() == ColumnSpec.Kind.NUMERIC ? "FP64" : "BYTES");
    Schemas.type(Schemas.list(fields.putObject("shape")), "integer");
    Schemas.reference(fields.putObject("parameters"), "Parameters");
    value(Schemas.list(fields.putObject("data")), column);
  }

  private static ArrayNode tensors(ObjectNode schema, List<TensorSpec> specs) {
    var forms = Schemas.list(schema).putArray("oneOf");
    for (TensorSpec spec : specs) {
      ObjectNode fields = Schemas.object(forms.addObject(), "name", "shape", "datatype");
      fields.putObject("name").put("const", spec.name());
      fields.putObject("datatype").put("default", NumberType.of(spec.type()).name());
      Schemas.type(Schemas.list(fields.putObject("shape")), "integer");
      Schemas.reference(fields.putObject("parameters"), "Parameters");
      Schemas.list(fields.putObject("data"));
    }
    return forms;
  }

  private static void names(ObjectNode schema, List<TensorSpec> specs) {
    schema.put("type", "string");
    specs.forEach(s -> schema.withArrayProperty("enum").add(s.name()));
  }
}
