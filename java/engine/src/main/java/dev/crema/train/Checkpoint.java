package dev.crema.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
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

  static boolean exists(Path folder) {
    return Files.exists(folder.resolve(STATE));
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
      Buffer m = moments.get(i);
      Shape shape = Shape.of(m.byteSize() / 4);
      tensors.add(NamedTensor.of("moment" + i, ElementType.FLOAT32, shape, all(m)));
    }
    if (step.scaled() != null) {
      Buffer m = step.scaled().memory();
      tensors.add(NamedTensor.of(SCALING, ElementType.FLOAT32, Shape.of(m.byteSize() / 4), all(m)));
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
        read(tensors, "moment" + i, moments.get(i));
      }
      if (step.scaled() != null) {
        read(tensors, SCALING, step.scaled().memory());
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

  static void read(Safetensors tensors, String name, Buffer into) {
    if (tensors.tensor(name).byteSize() != into.byteSize()) {
      throw new CremaException(
          "The checkpoint is of a model with other parameters: '"
              + name
              + "' has "
              + tensors.tensor(name).byteSize()
              + " bytes, expected "
              + into.byteSize()
              + ". Use another folder.");
    }
    tensors.read(name, all(into));
    into.changed();
  }

  static ByteBuffer all(Buffer buffer) {
    return buffer.borrow(0, Math.toIntExact(buffer.byteSize()));
  }
}
