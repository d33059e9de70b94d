package dev.crema.serving.tensorflow;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.protocols.tensorflow.Code;
import dev.crema.serving.protocols.tensorflow.SignatureDef;
import dev.crema.serving.protocols.tensorflow.TensorInfo;
import dev.crema.serving.protocols.tensorflow.TensorShapeProto;
import dev.crema.serving.protocols.tensorflow.serving.GetModelStatusResponse;
import dev.crema.serving.protocols.tensorflow.serving.ModelVersionStatus;
import dev.crema.serving.protocols.tensorflow.serving.SignatureDefMap;
import dev.crema.serving.protocols.tensorflow.serving.StatusProto;
import dev.crema.serving.repository.VersionStatus;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** What is told about models: states of versions and signatures, as messages and as JSON. */
final class ModelDocuments {
  private ModelDocuments() {}

  static GetModelStatusResponse status(List<VersionStatus> versions) {
    GetModelStatusResponse.Builder response = GetModelStatusResponse.newBuilder();
    for (VersionStatus v : versions) {
      boolean failed = !v.error().isEmpty();
      response.addModelVersionStatus(
          ModelVersionStatus.newBuilder()
              .setVersion(v.version())
              .setState(ModelVersionStatus.State.valueOf(v.state().name()))
              .setStatus(
                  StatusProto.newBuilder()
                      .setErrorCode(failed ? Code.UNKNOWN : Code.OK)
                      .setErrorMessage(v.error())));
    }
    return response.build();
  }

  static void writeStatus(JsonGenerator json, GetModelStatusResponse response) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("model_version_status");
    for (ModelVersionStatus v : response.getModelVersionStatusList()) {
      json.writeStartObject();
      json.writeStringField("version", Long.toString(v.getVersion()));
      json.writeStringField("state", v.getState().name());
      json.writeObjectFieldStart("status");
      json.writeStringField("error_code", v.getStatus().getErrorCode().name());
      json.writeStringField("error_message", v.getStatus().getErrorMessage());
      json.writeEndObject();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  static SignatureDefMap signatures(Signature signature) {
    SignatureDef.Builder definition =
        SignatureDef.newBuilder().setMethodName(SignatureNames.PREDICT);
    for (TensorSpec input : signature.inputs()) {
      definition.putInputs(
          input.name(), info(input, SignatureNames.DEFAULT + '_' + input.name() + ":0"));
    }
    int index = 0;
    for (TensorSpec output : signature.outputs()) {
      definition.putOutputs(output.name(), info(output, "StatefulPartitionedCall:" + index++));
    }
    return SignatureDefMap.newBuilder()
        .putSignatureDef(SignatureNames.DEFAULT, definition.build())
        .build();
  }

  private static TensorInfo info(TensorSpec spec, String name) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long extent : spec.shape()) {
      shape.addDim(TensorShapeProto.Dim.newBuilder().setSize(extent));
    }
    return TensorInfo.newBuilder()
        .setName(name)
        .setDtype(DataTypes.of(spec.type()))
        .setTensorShape(shape)
        .build();
  }

  static void writeMetadata(
      JsonGenerator json, String model, long version, SignatureDefMap signatures)
      throws IOException {
    json.writeStartObject();
    json.writeObjectFieldStart("model_spec");
    json.writeStringField("name", model);
    json.writeStringField("signature_name", "");
    json.writeStringField("version", Long.toString(version));
    json.writeEndObject();
    json.writeObjectFieldStart("metadata");
    json.writeObjectFieldStart("signature_def");
    json.writeObjectFieldStart("signature_def");
    for (Map.Entry<String, SignatureDef> s : signatures.getSignatureDefMap().entrySet()) {
      json.writeObjectFieldStart(s.getKey());
      writeTensors(json, "inputs", s.getValue().getInputsMap());
      writeTensors(json, "outputs", s.getValue().getOutputsMap());
      json.writeStringField("method_name", s.getValue().getMethodName());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeEndObject();
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void writeTensors(
      JsonGenerator json, String field, Map<String, TensorInfo> tensors) throws IOException {
    json.writeObjectFieldStart(field);
    for (Map.Entry<String, TensorInfo> t : tensors.entrySet()) {
      TensorInfo info = t.getValue();
      json.writeObjectFieldStart(t.getKey());
      json.writeStringField("dtype", info.getDtype().name());
      json.writeObjectFieldStart("tensor_shape");
      json.writeArrayFieldStart("dim");
      for (TensorShapeProto.Dim dim : info.getTensorShape().getDimList()) {
        json.writeStartObject();
        json.writeStringField("size", Long.toString(dim.getSize()));
        json.writeStringField("name", dim.getName());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeBooleanField("unknown_rank", info.getTensorShape().getUnknownRank());
      json.writeEndObject();
      json.writeStringField("name", info.getName());
      json.writeEndObject();
    }
    json.writeEndObject();
  }
}
