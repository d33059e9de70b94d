package dev.crema.serving.repository;

import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** A model at one moment: which version answers what. Immutable. */
final class View {
  private static final int BUCKETS = 10_000;

  private final String name;
  private final ModelSettings settings;
  private final Map<Long, LoadedVersion> available;
  private final List<VersionStatus> statuses;
  private final LoadedVersion byDefault; // null: none
  private final LoadedVersion canary; // null: none
  private final LoadedVersion shadow; // null: none

  /**
   * @param statuses newest first
   */
  View(
      String name,
      ModelSettings settings,
      Map<Long, LoadedVersion> available,
      List<VersionStatus> statuses) {
    this.name = name;
    this.settings = settings;
    this.available = Map.copyOf(available);
    this.statuses = List.copyOf(statuses);
    Long stable = settings.labels().get(ModelSettings.STABLE);
    this.byDefault =
        stable != null
            ? available.get(stable)
            : available.isEmpty() ? null : available.get(Collections.max(available.keySet()));
    this.canary = labelled(settings.traffic().canaryLabel());
    this.shadow = labelled(settings.traffic().shadowLabel());
  }

  private LoadedVersion labelled(String label) {
    Long version = settings.labels().get(label);
    return version == null ? null : available.get(version);
  }

  ModelSettings settings() {
    return settings;
  }

  List<VersionStatus> statuses() {
    return statuses;
  }

  boolean isAvailable() {
    return !available.isEmpty();
  }

  /**
   * The version that a reference means.
   *
   * @throws ServingException if there is none, or it is not available
   */
  LoadedVersion choose(ModelReference reference) {
    if (reference.version().isPresent()) {
      long version = reference.version().getAsLong();
      LoadedVersion found = available.get(version);
      return found != null ? found : refuse(version);
    }
    if (!reference.label().isEmpty()) {
      Long version = settings.labels().get(reference.label());
      if (version == null) {
        throw ServingException.notFound(
            "Model '"
                + name
                + "' has no label '"
                + reference.label()
                + "'; it has "
                + settings.labels().keySet().stream().sorted().toList());
      }
      LoadedVersion found = available.get(version);
      return found != null ? found : refuse(version);
    }
    if (byDefault == null) {
      Long stable = settings.labels().get(ModelSettings.STABLE);
      if (stable != null) {
        return refuse(stable);
      }
      throw new ServingException(
          statuses.stream().allMatch(View::isOut) ? Code.NOT_FOUND : Code.UNAVAILABLE,
          "Model '" + name + "' has no version that serves" + why());
    }
    return byDefault;
  }

  /** As {@link #choose}, with the canary's share of those that leave it open. */
  LoadedVersion route(ModelReference reference, String requestId) {
    boolean open = reference.version().isEmpty() && reference.label().isEmpty();
    return open && canary != null && isHit(requestId, settings.traffic().canaryPercent(), 0)
        ? canary
        : choose(reference);
  }

  /** The version that computes a copy of such a request, too; null for none. */
  LoadedVersion shadow(ModelReference reference, String requestId) {
    boolean open = reference.version().isEmpty() && reference.label().isEmpty();
    return open && shadow != null && isHit(requestId, settings.traffic().shadowPercent(), 1)
        ? shadow
        : null;
  }

  private static boolean isHit(String id, double percent, int salt) {
    int bucket =
        id.isEmpty()
            ? ThreadLocalRandom.current().nextInt(BUCKETS)
            : Math.floorMod(mix(id.hashCode() + salt * 0x9E3779B9), BUCKETS);
    return bucket < percent * BUCKETS / 100;
  }

  /** The end of MurmurHash3: similar ids go to different places. */
  private static int mix(int hash) {
    int h = (hash ^ (hash >>> 16)) * 0x85EBCA6B;
    h = (h ^ (h >>> 13)) * 0xC2B2AE35;
    return h ^ (h >>> 16);
  }

  /**
   * Nobody wants it to serve: clients are told that it is not found, as by TensorFlow Serving. What
   * loads or could not be loaded is unavailable.
   */
  private static boolean isOut(VersionStatus status) {
    return status.error().isEmpty()
        && (status.state() == VersionStatus.State.END
            || status.state() == VersionStatus.State.START);
  }

  private LoadedVersion refuse(long version) {
    for (VersionStatus status : statuses) {
      if (status.version() == version) {
        throw new ServingException(
            isOut(status) ? Code.NOT_FOUND : Code.UNAVAILABLE,
            "Model '"
                + name
                + "' version "
                + version
                + (isOut(status) ? " does not serve: it is " : " is ")
                + status.state()
                + (status.error().isEmpty() ? "" : ": " + status.error()));
      }
    }
    throw ServingException.notFound(
        "Model '"
            + name
            + "' has no version "
            + version
            + "; it has "
            + statuses.stream().map(VersionStatus::version).toList());
  }

  private String why() {
    return statuses.stream()
        .filter(status -> !status.error().isEmpty())
        .findFirst()
        .map(status -> ": version " + status.version() + " failed: " + status.error())
        .orElse("");
  }
}
