package dev.crema.serving.openinference;

import dev.crema.serving.repository.VersionStatus;
import java.util.List;

/** What this server says of itself. */
final class ServerDescription {
  static final String NAME = "crema";
  static final String PLATFORM = "crema_safetensors";
  static final List<String> EXTENSIONS =
      List.of("binary_tensor_data", "classification", "model_repository");

  private ServerDescription() {}

  /** Of the jar; "development" outside one. */
  static String version() {
    String version = ServerDescription.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /** A state in the words of the repository extension. */
  static String state(VersionStatus version) {
    return switch (version.state()) {
      case AVAILABLE -> "READY";
      case START, LOADING -> "LOADING";
      case UNLOADING -> "UNLOADING";
      case END -> "UNAVAILABLE";
    };
  }

  /** Why it is so. */
  static String reason(VersionStatus version) {
    return version.error().isEmpty() && version.state() == VersionStatus.State.END
        ? "unloaded"
        : version.error();
  }
}
