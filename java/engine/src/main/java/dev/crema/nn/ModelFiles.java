package dev.crema.nn;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.graph.Storage;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.io.TensorInfo;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model as files: {@code model.json} (topology and metadata), {@code model.safetensors} (every
 * parameter and state by its path), checksums, and whatever more is given.
 */
final class ModelFiles {
  private static final String FORMAT = "crema-model";
  private static final int FORMAT_VERSION = 1;

  private ModelFiles() {}

  static void save(Model model, Path target, Map<String, Content> more) {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("format", FORMAT).put("version", FORMAT_VERSION).put("library", Model.VERSION);
    json.set("topology", TopologyFormat.toJson(model.topology()));
    model.metadata().properties().forEach(e -> json.set(e.getKey(), e.getValue()));
    List<NamedTensor> tensors = new ArrayList<>();
    for (Parameter p : model.table().all()) {
      Shape shape = p.type().at(0);
      tensors.add(NamedTensor.of(p.path(), ElementType.FLOAT32, shape, model.bytes(p)));
    }
    Map<String, Content> files = new LinkedHashMap<>();
    files.put(ModelArchive.MODEL, Content.of(Json.bytes(json)));
    files.put(ModelArchive.TENSORS, Safetensors.content(tensors, Map.of("format", "crema")));
    files.putAll(more);
    ModelArchive.write(target, files);
  }

  static Model load(Path path) {
    try (ModelArchive archive = ModelArchive.open(path)) {
      return read(archive);
    }
  }

  static Model read(ModelArchive archive) {
    String where = archive.path() + ", " + ModelArchive.MODEL;
    JsonNode json = archive.json(ModelArchive.MODEL);
    if (!(json instanceof ObjectNode object) || !FORMAT.equals(json.path("format").asText())) {
      throw new CremaException(where + " is not a Crema model");
    }
    if (json.path("version").asInt() != FORMAT_VERSION) {
      throw new CremaException(
          where
              + " has format version "
              + json.path("version")
              + "; this library reads version "
              + FORMAT_VERSION
              + ". Save it again with a library of this version.");
    }
    Topology topology = TopologyFormat.fromJson(json.path("topology"), where);
    ObjectNode metadata = object.deepCopy();
    metadata.remove(List.of("format", "version", "library", "topology"));
    Safetensors tensors = archive.tensors();
    Model model = Model.uninitialized(topology, metadata, Integer.MAX_VALUE);
    try {
      for (Parameter p : model.table().all()) {
        load(tensors, p, model);
      }
      return model;
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  private static void load(Safetensors tensors, Parameter p, Model model) {
    TensorInfo info = tensors.tensor(p.path());
    Shape expected = p.type().at(0);
    if (info.type() != ElementType.FLOAT32 || !info.shape().equals(expected)) {
      throw new CremaException(
          "Tensor "
              + p.path()
              + " should be F32 "
              + expected
              + " but the file has "
              + info.dtype()
              + " "
              + info.shape()
              + ". The topology and the tensors do not belong together.");
    }
    if (p.storage().equals(Storage.PARAMETERS) || p.storage().equals(Storage.STATE)) {
      tensors.read(p.path(), model.bytes(p));
    }
  }
}
