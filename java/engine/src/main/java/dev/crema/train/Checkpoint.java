package dev.crema.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.AtomicFolders;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.memory.Buffer;
import dev.crema.nn.Model;
import dev.crema.nn.TopologyFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All that a training needs to go on as if it had never stopped: the model, the optimiser's
 * moments, the loss's scale, the step, the history, what callbacks remember. A model folder with
 * two more files.
 */
final class Checkpoint {
  private static final String STATE = "training.json";
  private static final String MOMENTS = "training.safetensors";
  private static final String SCALING = "loss_scaling";

  private Checkpoint() {}

  /**
   * Whether there is one, also where a process was killed between the two renames of its saving.
   *
   * @throws CremaException if there is a model without what a training goes on from
   */
  static boolean exists(Path folderOrZip) {
    if (!Files.exists(AtomicFolders.current(folderOrZip))) {
      return false;
    }
    try (ModelArchive archive = ModelArchive.open(folderOrZip)) {
      if (!archive.names().contains(STATE)) {
        throw new CremaException(
            folderOrZip
                + " holds a model but not what its training goes on from: "
                + STATE
                + " is missing. A training would write over it: name another folder, or train"
                + " without resuming.");
      }
      return true;
    }
  }

  /**
   * Whether one can be written, before a first epoch is lost to finding that out.
   *
   * @throws CremaException if not: the model has a layer of the user's own, or the place is no good
   */
  static void requireWritable(Path folderOrZip, Model model) {
    ModelArchive.requireReplaceable(folderOrZip);
    TopologyFormat.toJson(model.topology());
  }

  static void write(
      Path folder,
      Trainer trainer,
      TrainingSettings settings,
      TrainingStep step,
      History history,
      Training training) {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("step", step.steps()).put("batch", step.batches());
    settings.write(json);
    json.put("learning_rate_factor", training.learningRateFactor());
    if (step.outputs().size() == 1) {
      json.put("loss", step.outputs().get(0).head().loss().name());
    }
    json.set("history", history.toJson());
    List<NamedTensor> tensors = new ArrayList<>();
    List<Buffer> moments = step.moments();
    for (int i = 0; i < moments.size(); i++) {
      tensors.add(MomentFiles.tensor("moment" + i, moments.get(i)));
    }
    if (step.scaled() != null) {
      tensors.add(MomentFiles.tensor(SCALING, step.scaled().memory()));
    }
    ObjectNode callbacks = json.putObject("callbacks");
    for (Callback c : trainer.callbacks) {
      CallbackState state = CallbackState.empty(c.key());
      if (!callbacks.has(c.key())) {
        c.save(state);
        callbacks.set(c.key(), state.numbers());
        tensors.addAll(state.tensors());
      }
    }
    Map<String, Content> files = new LinkedHashMap<>();
    files.put(STATE, Content.of(Json.bytes(json)));
    files.put(MOMENTS, Safetensors.content(tensors, Map.of()));
    trainer.model.save(folder, files);
  }

  static void read(
      Path folder,
      Trainer trainer,
      TrainingSettings settings,
      TrainingStep step,
      History history,
      Training training) {
    try (ModelArchive archive = ModelArchive.open(folder)) {
      JsonNode json = archive.json(STATE);
      settings.requireSameAs(json, folder);
      trainer.model.load(archive);
      Safetensors tensors = archive.tensors(MOMENTS);
      List<Buffer> moments = step.moments();
      for (int i = 0; i < moments.size(); i++) {
        MomentFiles.read(tensors, "moment" + i, moments.get(i));
      }
      if (step.scaled() != null) {
        MomentFiles.read(tensors, SCALING, step.scaled().memory());
      }
      step.resume(json.path("step").asLong(), json.path("batch").asLong());
      training.learningRateFactor(json.path("learning_rate_factor").asDouble(1));
      History.fromJson(json.path("history")).epochs().forEach(history::add);
      restore(trainer, training, json.path("callbacks"), tensors);
    }
  }

  private static void restore(
      Trainer trainer, Training training, JsonNode callbacks, Safetensors tensors) {
    Set<String> restored = new HashSet<>();
    for (Callback c : trainer.callbacks) {
      if (callbacks.path(c.key()) instanceof ObjectNode numbers && restored.add(c.key())) {
        c.restore(training, CallbackState.read(c.key(), numbers, tensors));
      }
    }
  }
}
