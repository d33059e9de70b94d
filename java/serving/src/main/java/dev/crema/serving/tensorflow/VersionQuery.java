package dev.crema.serving.tensorflow;

import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.repository.VersionStatus;
import java.util.List;

/** The states of the versions that a reference may mean, failed ones among them. */
final class VersionQuery {
  private VersionQuery() {}

  static List<VersionStatus> versions(Models models, ModelReference model) {
    List<VersionStatus> all = models.versions(model.name());
    List<VersionStatus> meant =
        all.stream()
            .filter(
                v ->
                    model.label().isEmpty()
                        ? model.version().isEmpty() || model.version().getAsLong() == v.version()
                        : v.labels().contains(model.label()))
            .toList();
    if (meant.isEmpty()) {
      throw ServingException.notFound("Could not find any versions of model " + model);
    }
    return meant;
  }
}
