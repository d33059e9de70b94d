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

  /**
   * Which version a path means.
   *
   * @param id what operations' names end in
   * @param parameter of the path; "" for none
   */
  private record Choice(String path, String id, String parameter) {
    static final Choice LATEST = new Choice("", "", "");
    static final Choice VERSION = new Choice("/versions/{version}", "OfVersion", "version");
    static final Choice LABEL = new Choice("/labels/{label}", "OfLabel", "label");

    void describe(ObjectNode operation) {
      if (!parameter.isEmpty()) {
        Operations.parameter(
            operation, parameter, parameter.equals("version") ? "integer" : "string");
      }
    }
  }

  void add(ObjectNode paths, ObjectNode schemas) {
    predictRequest(schemas.putObject(prefix + "PredictRequest"));
    predictResponse(schemas.putObject(prefix + "PredictResponse"));
    inferRequest(schemas.putObject(prefix + "InferRequest"));
    inferResponse(schemas.putObject(prefix + "InferResponse"));
    for (Choice choice : List.of(Choice.LATEST, Choice.VERSION, Choice.LABEL)) {
      tensorFlow(paths, choice);
    }
    for (Choice choice : List.of(Choice.LATEST, Choice.VERSION)) {
      openInference(paths, choice);
    }
  }

  private void tensorFlow(ObjectNode paths, Choice choice) {
    String path = "/v1/models/" + model + choice.path();
    choice.describe(
        Operations.get(
            paths, path, prefix + "status" + choice.id(), "States of versions", "ModelStatus"));
    choice.describe(
        Operations.get(
            paths,
            path + "/metadata",
            prefix + "signature" + choice.id(),
            "Signature",
            "SignatureMetadata"));
    choice.describe(
        Operations.post(
            paths,
            path + ":predict",
            prefix + "predict" + choice.id(),
            "Outputs for examples, in rows or in columns",
            prefix + "PredictRequest",
            prefix + "PredictResponse"));
    List<Long> output = signature.outputs().get(0).shape();
    if (output.size() == 2) {
      choice.describe(
          Operations.post(
              paths,
              path + ":classify",
              prefix + "classify" + choice.id(),
              "Classes with their scores for examples of features",
              "ExamplesRequest",
              "ClassifyResponse"));
    }
    if (output.size() == 1 || output.size() == 2 && output.get(1) == 1) {
      choice.describe(
          Operations.post(
              paths,
              path + ":regress",
              prefix + "regress" + choice.id(),
              "A number for each example of features",
              "ExamplesRequest",
              "RegressResponse"));
    }
  }

  private void openInference(ObjectNode paths, Choice choice) {
    String path = "/v2/models/" + model + choice.path();
    choice.describe(
        Operations.get(
            paths,
            path,
            prefix + "metadata" + choice.id(),
            "Versions and signature",
            "ModelMetadata"));
    choice.describe(
        Operations.get(
            paths,
            path + "/ready",
            prefix + "ready" + choice.id(),
            "Whether the model serves",
            "ModelReady"));
    choice.describe(
        Operations.post(
            paths,
            path + "/infer",
            prefix + "infer" + choice.id(),
            "Outputs for tensors",
            prefix + "InferRequest",
            prefix + "InferResponse"));
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
      ObjectNode lists =
          Schemas.object(Schemas.object(forms.addObject(), "inputs").putObject("inputs"));
      for (ColumnSpec column : signature.columns()) {
        value(Schemas.list(lists.putObject(column.name())), column);
      }
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
