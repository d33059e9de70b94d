package dev.crema.serving.tensorflow;

import com.google.protobuf.Int64Value;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.protocols.tensorflow.serving.ModelSpec;
import dev.crema.serving.repository.ModelReference;

/** Which model a message means. */
final class ModelSpecs {
  private ModelSpecs() {}

  static ModelReference reference(ModelSpec spec) {
    if (spec.getName().isEmpty()) {
      throw ServingException.invalidArgument("Missing ModelSpec: model_spec.name must be set");
    }
    return switch (spec.getVersionChoiceCase()) {
      case VERSION -> {
        long version = spec.getVersion().getValue();
        if (version < 0) {
          throw ServingException.invalidArgument("A version is no negative number, got " + version);
        }
        yield ModelReference.version(spec.getName(), version);
      }
      case VERSION_LABEL -> ModelReference.label(spec.getName(), spec.getVersionLabel());
      case VERSIONCHOICE_NOT_SET -> ModelReference.of(spec.getName());
    };
  }

  /** The model that answered. */
  static ModelSpec answered(String model, long version) {
    return ModelSpec.newBuilder()
        .setName(model)
        .setVersion(Int64Value.of(version))
        .setSignatureName(SignatureNames.DEFAULT)
        .build();
  }
}
