package dev.crema.serving.repository;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * A model by name, and perhaps a version of it by number or by label.
 *
 * @param version of a folder; empty for the one that serves by default
 * @param label "stable", "canary"; "" for none
 */
public record ModelReference(String name, OptionalLong version, String label) {
  public ModelReference {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(version, "version");
    Objects.requireNonNull(label, "label");
    if (version.isPresent() && !label.isEmpty()) {
      throw new IllegalArgumentException("A model is asked for by version or by label, not both");
    }
  }

  public static ModelReference of(String name) {
    return new ModelReference(name, OptionalLong.empty(), "");
  }

  public static ModelReference version(String name, long version) {
    return new ModelReference(name, OptionalLong.of(version), "");
  }

  public static ModelReference label(String name, String label) {
    return new ModelReference(name, OptionalLong.empty(), label);
  }

  @Override
  public String toString() {
    return name
        + (version.isPresent() ? " version " + version.getAsLong() : "")
        + (label.isEmpty() ? "" : " label '" + label + "'");
  }
}
