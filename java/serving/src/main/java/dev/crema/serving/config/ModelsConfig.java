package dev.crema.serving.config;

import dev.crema.serving.execution.BatchSettings;
import dev.crema.serving.repository.ModelSettings;
import dev.crema.serving.repository.TrafficSplit;
import dev.crema.serving.repository.VersionPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Which models are served, and how each.
 *
 * @param root the folder with NAME/VERSION
 * @param poll how often it is looked at; zero for only when told to
 * @param trustedKeys files of Ed25519 public keys; if there are any, only models that one of them
 *     signed are loaded
 * @param byDefault for models that are not in {@code named}
 */
public record ModelsConfig(
    Path root,
    Duration poll,
    List<Path> trustedKeys,
    ModelSettings byDefault,
    Map<String, ModelSettings> named) {
  public ModelsConfig {
    trustedKeys = List.copyOf(trustedKeys);
    named = Map.copyOf(named);
  }

  static ModelsConfig read(Section section, Path folder) {
    Path root = folder.resolve(section.text("root", "models"));
    Duration poll = section.duration("poll", Duration.ofSeconds(2));
    List<Path> keys = section.list("trusted_keys", List.of(), "a file", folder::resolve);
    ModelSettings byDefault = settings(section.section("defaults"), ModelSettings.DEFAULT);
    Section models = section.section("named");
    Map<String, ModelSettings> named = new LinkedHashMap<>();
    for (String name : new TreeSet<>(models.names())) {
      named.put(name, settings(models.section(name), byDefault));
    }
    models.done();
    section.done();
    return new ModelsConfig(root, poll, keys, byDefault, named);
  }

  private static ModelSettings settings(Section section, ModelSettings byDefault) {
    ModelSettings settings =
        byDefault
            .withPolicy(policy(section, byDefault.policy()))
            .withLabels(labels(section, byDefault.labels()))
            .withBatching(batching(section.section("batching"), byDefault.batching()))
            .withTraffic(traffic(section.section("traffic"), byDefault.traffic()));
    section.done();
    return settings;
  }

  private static VersionPolicy policy(Section section, VersionPolicy byDefault) {
    if (!section.has("policy")) {
      return byDefault;
    }
    if (section.isWord("policy")) {
      return section.of(
          "policy",
          byDefault,
          "all, latest, {latest: 2} or {specific: [1, 3]}",
          word ->
              switch (word) {
                case "all" -> VersionPolicy.all();
                case "latest" -> VersionPolicy.latest(1);
                default -> null;
              });
    }
    Section choice = section.section("policy");
    int latest = choice.integer("latest", 0, 1, 1000);
    List<Long> specific =
        choice.list("specific", List.of(), "the number of a version", ModelsConfig::version);
    choice.done();
    if ((latest > 0) == !specific.isEmpty()) {
      throw section.error("policy", "must be all, latest, {latest: 2} or {specific: [1, 3]}");
    }
    return latest > 0
        ? VersionPolicy.latest(latest)
        : new VersionPolicy.Specific(new HashSet<>(specific));
  }

  private static Long version(String text) {
    long version = Long.parseLong(text);
    return version >= 0 ? version : null;
  }

  private static Map<String, Long> labels(Section section, Map<String, Long> byDefault) {
    if (!section.has("labels")) {
      return byDefault;
    }
    Section labels = section.section("labels");
    Map<String, Long> all = new LinkedHashMap<>();
    for (String label : new TreeSet<>(labels.names())) {
      all.put(label, labels.of(label, null, "the number of a version", ModelsConfig::version));
      if (all.get(label) == null) {
        throw labels.error(label, "must be the number of a version");
      }
    }
    labels.done();
    return all;
  }

  private static BatchSettings batching(Section section, BatchSettings byDefault) {
    int most = section.integer("maximum_batch", byDefault.maximumBatch(), 1, 1 << 20);
    BatchSettings settings =
        byDefault
            .withMaximumBatch(most)
            .withMaximumDelay(section.duration("maximum_delay", byDefault.maximumDelay()))
            .withQueueCapacity(
                section.integer("queue_capacity", byDefault.queueCapacity(), 0, 1 << 30))
            .withThreads(section.integer("threads", byDefault.threads(), 0, 4096));
    List<Integer> preferred =
        section.list(
            "preferred_sizes",
            settings.preferredSizes(),
            "a number of examples from 1 to maximum_batch " + most,
            text -> {
              int size = Integer.parseInt(text);
              return size >= 1 && size <= most ? size : null;
            });
    section.done();
    return settings.withPreferredSizes(preferred);
  }

  private static TrafficSplit traffic(Section section, TrafficSplit byDefault) {
    Section canary = section.section("canary");
    Section shadow = section.section("shadow");
    TrafficSplit split =
        new TrafficSplit(
            canary.text(
                "label", byDefault.canaryLabel().isEmpty() ? "canary" : byDefault.canaryLabel()),
            canary.number("percent", byDefault.canaryPercent(), 0, 100),
            shadow.text(
                "label", byDefault.shadowLabel().isEmpty() ? "shadow" : byDefault.shadowLabel()),
            shadow.number("percent", byDefault.shadowPercent(), 0, 100));
    canary.done();
    shadow.done();
    section.done();
    return new TrafficSplit(
        split.canaryPercent() == 0 ? "" : split.canaryLabel(),
        split.canaryPercent(),
        split.shadowPercent() == 0 ? "" : split.shadowLabel(),
        split.shadowPercent());
  }
}
