package dev.crema.serving.openinference;

import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.repository.VersionStatus;
import java.util.ArrayList;
import java.util.List;

/** Which models serve. */
final class ModelStates {
  private ModelStates() {}

  /**
   * A line of the repository's index.
   *
   * @param version "" for a model of which no version was found
   */
  record Entry(String name, String version, String state, String reason) {}

  /**
   * @throws ServingException if there is no such model or version
   */
  static boolean isReady(Models models, ModelReference model) {
    List<VersionStatus> known = models.versions(model.name());
    try {
      return models.resolve(model).state() == VersionStatus.State.AVAILABLE;
    } catch (ServingException e) {
      boolean isThere =
          model.version().isPresent()
              ? known.stream().anyMatch(v -> v.version() == model.version().getAsLong())
              : model.label().isEmpty();
      if (e.code() == ServingException.Code.NOT_FOUND && !isThere) {
        throw e;
      }
      return false;
    }
  }

  /** Numbers of the versions that serve. */
  static List<String> available(Models models, String model) {
    return models.versions(model).stream()
        .filter(v -> v.state() == VersionStatus.State.AVAILABLE)
        .map(v -> Long.toString(v.version()))
        .toList();
  }

  static List<Entry> index(Models models, boolean readyOnly) {
    List<Entry> entries = new ArrayList<>();
    for (String name : models.names()) {
      List<VersionStatus> versions = models.versions(name);
      if (versions.isEmpty() && !readyOnly) {
        entries.add(new Entry(name, "", "UNAVAILABLE", "no version found"));
      }
      for (VersionStatus v : versions) {
        if (!readyOnly || v.state() == VersionStatus.State.AVAILABLE) {
          entries.add(
              new Entry(
                  name,
                  Long.toString(v.version()),
                  ServerDescription.state(v),
                  ServerDescription.reason(v)));
        }
      }
    }
    return entries;
  }
}
