package dev.crema.serving.repository;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import java.util.List;

/** The models that can be asked for. Thread-safe; what it gives is of one moment. */
public interface Models {
  /** Names of all models, also of those of which no version could be loaded. */
  List<String> names();

  /**
   * Every known version of a model, the newest first, failed ones among them.
   *
   * @throws ServingException if there is no such model
   */
  List<VersionStatus> versions(String model);

  /**
   * Whether a version of a model serves, or all were taken out of service by {@link #unload}. Where
   * none of a model's versions could be loaded, a server is not ready.
   *
   * @throws ServingException if there is no such model
   */
  default boolean isSettled(String model) {
    return versions(model).stream().anyMatch(v -> v.state() == VersionStatus.State.AVAILABLE);
  }

  /**
   * The version that a reference means now.
   *
   * @throws ServingException if there is none, or it is not available
   */
  VersionStatus resolve(ModelReference reference);

  /** What that version takes and gives; throws as {@link #resolve}. */
  Signature signature(ModelReference reference);

  /** What was saved with that version beside its layers; a copy. Throws as {@link #resolve}. */
  ObjectNode metadata(ModelReference reference);

  /**
   * Looks for new versions of a model now and loads those that its policy asks for; returns when
   * they serve.
   *
   * @throws ServingException if there is no such model, or one of those versions could not be
   *     loaded; what served before serves on then
   */
  void load(String model);

  /**
   * Takes a model out of service until {@link #load}; returns when its last request is answered.
   *
   * @throws ServingException if there is no such model
   */
  void unload(String model);
}
