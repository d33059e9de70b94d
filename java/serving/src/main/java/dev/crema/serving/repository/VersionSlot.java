package dev.crema.serving.repository;

import dev.crema.serving.repository.VersionStatus.State;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What has become of a version; guarded by its model. */
final class VersionSlot {
  LoadedVersion serving; // null: none
  State state = State.START;
  String error = "";
  String stamp = ""; // of the files that are in memory or failed
  boolean failed;
  String seen = ""; // the stamp looked at last
  long seenSince;
  Path place; // of the files that were loaded last; null: none yet
  final List<LoadedVersion> draining = new ArrayList<>();

  VersionStatus status(String model, long version, ModelSettings settings) {
    List<String> labels =
        settings.labels().entrySet().stream()
            .filter(e -> e.getValue() == version)
            .map(Map.Entry::getKey)
            .sorted()
            .toList();
    return new VersionStatus(
        model,
        version,
        state,
        labels,
        error,
        serving == null ? Duration.ZERO : serving.loadTime(),
        serving == null ? 0 : serving.bytes());
  }
}
