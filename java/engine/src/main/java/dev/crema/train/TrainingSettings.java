package dev.crema.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What decides the course of a training, as texts by name, so that a checkpoint can tell whether a
 * resumed training would go on as if it had never stopped. Not among them, for they may change: the
 * number of epochs, callbacks, validation data, threads and device.
 */
final class TrainingSettings {
  private static final String OPTIMIZER = "optimizer";
  private static final String SEED = "seed";
  private static final String BATCH_SIZE = "batch size";
  private static final String LOSS = "loss";

  /** Where checkpoints have settings that they always had; the others stand in an object. */
  private static final Map<String, String> OWN_FIELDS =
      Map.of(OPTIMIZER, "optimizer", SEED, "seed", BATCH_SIZE, "batch_size");

  private static final String OTHERS = "settings";
  private static final String NONE = "none";

  private final Map<String, String> values;

  private TrainingSettings(Map<String, String> values) {
    this.values = values;
  }

  static TrainingSettings of(Trainer trainer, List<Head> heads, Dataset data) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put(OPTIMIZER, trainer.optimizer.toString());
    all.put(SEED, Long.toString(trainer.seed));
    all.put(BATCH_SIZE, Integer.toString(trainer.batchSize));
    for (Head head : heads) {
      String of = heads.size() == 1 ? "" : " of '" + head.output() + "'";
      float[] weights = head.classWeights();
      all.put(LOSS + of, head.loss().description());
      all.put("loss weight" + of, Double.toString(head.weight()));
      all.put("class weights" + of, weights == null ? NONE : Arrays.toString(weights));
    }
    LearningRate schedule =
        trainer.schedule != null
            ? trainer.schedule
            : LearningRate.constant(trainer.optimizer.learningRate());
    all.put("schedule", schedule.description());
    all.put("accumulated batches", Integer.toString(trainer.accumulate));
    all.put("precision", trainer.precision.name().toLowerCase(Locale.ROOT));
    LossScaling scaling = trainer.lossScaling();
    all.put("loss scaling", scaling == null ? NONE : scaling.description());
    all.put("clip norm", limit(trainer.clipNorm));
    all.put("clip value", limit(trainer.clipValue));
    all.put("shuffle", Boolean.toString(trainer.shuffle));
    all.put("frozen layers", trainer.frozen.stream().sorted().distinct().toList().toString());
    all.put("parameter groups", trainer.groups.toString());
    all.put("loss term", trainer.term == null ? NONE : trainer.term.description());
    all.put("rounding", trainer.rounding == null ? NONE : trainer.rounding.description());
    List<String> masked = trainer.model.masks().paths();
    all.put("masks", masked.isEmpty() ? NONE : masked.toString());
    all.put("training examples", data.size() < 0 ? "a stream" : Long.toString(data.size()));
    return new TrainingSettings(all);
  }

  /** An older checkpoint has the loss's name without its settings. */
  private String olderLoss(String name) {
    String now = values.getOrDefault(LOSS, NONE);
    return now.startsWith(name + ",") ? now : name;
  }

  private static String limit(double most) {
    return most > 0 ? Double.toString(most) : NONE;
  }

  /** Adds them to what a checkpoint holds. */
  void write(ObjectNode json) {
    json.put(OWN_FIELDS.get(OPTIMIZER), values.get(OPTIMIZER));
    json.put(OWN_FIELDS.get(SEED), Long.parseLong(values.get(SEED)));
    json.put(OWN_FIELDS.get(BATCH_SIZE), Integer.parseInt(values.get(BATCH_SIZE)));
    ObjectNode others = json.putObject(OTHERS);
    values.forEach(
        (name, value) -> {
          if (!OWN_FIELDS.containsKey(name)) {
            others.put(name, value);
          }
        });
  }

  /**
   * Compares them with those of a checkpoint; what an older one does not hold counts as the same.
   *
   * @throws CremaException naming each difference
   */
  void requireSameAs(JsonNode json, Path folder) {
    Map<String, String> saved = new LinkedHashMap<>();
    OWN_FIELDS.forEach((name, field) -> saved.put(name, json.path(field).asText()));
    if (!json.has(OTHERS) && json.has(LOSS)) {
      saved.put(LOSS, olderLoss(json.get(LOSS).asText()));
    }
    json.path(OTHERS).properties().forEach(p -> saved.put(p.getKey(), p.getValue().asText()));
    List<String> names = new ArrayList<>(values.keySet());
    saved.keySet().stream().filter(name -> !values.containsKey(name)).forEach(names::add);
    List<String> differences =
        names.stream()
            .filter(saved::containsKey)
            .filter(name -> !saved.get(name).equals(values.get(name)))
            .map(name -> name + " " + saved.get(name) + ", now " + values.getOrDefault(name, NONE))
            .toList();
    if (!differences.isEmpty()) {
      throw new CremaException(
          "The checkpoint "
              + folder
              + " was trained with other settings: "
              + String.join("; ", differences)
              + ". Use the same, or train without --resume. Epochs, callbacks, validation data,"
              + " threads and device may differ.");
    }
  }
}
