package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.Checksums;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelLoadTest {
  @TempDir Path folder;

  private static Model model(long seed) {
    return Model.sequential(3).dense(4, Activation.RELU).dense(2).build(seed);
  }

  private static float[] all(Model model) {
    List<Float> values = new ArrayList<>();
    for (Parameter p : model.table().all()) {
      for (float v : model.get(p.path())) {
        values.add(v);
      }
    }
    float[] result = new float[values.size()];
    for (int i = 0; i < result.length; i++) {
      result[i] = values.get(i);
    }
    return result;
  }

  /** A damaged copy: the JSON and the tensors are edited, the checksums are right. */
  private Path edited(Consumer<ObjectNode> edit, Consumer<Map<String, Shape>> tensors) {
    Path path = folder.resolve("edited");
    try (Model model = model(1)) {
      model.save(folder.resolve("whole"));
      try (ModelArchive archive = ModelArchive.open(folder.resolve("whole"))) {
        ObjectNode json = (ObjectNode) archive.json(ModelArchive.MODEL);
        edit.accept(json);
        Map<String, Shape> shapes = new LinkedHashMap<>();
        model.table().all().forEach(p -> shapes.put(p.path(), p.type().at(0)));
        tensors.accept(shapes);
        List<NamedTensor> list = new ArrayList<>();
        shapes.forEach(
            (name, shape) ->
                list.add(
                    NamedTensor.of(
                        name,
                        ElementType.FLOAT32,
                        shape,
                        ByteBuffer.allocate((int) shape.elements() * 4))));
        ModelArchive.write(
            path,
            Map.of(
                ModelArchive.MODEL,
                Content.of(Json.bytes(json)),
                ModelArchive.TENSORS,
                Safetensors.content(list, Map.of())));
      }
    }
    return path;
  }

  @Test
  void filesBesideTheModelDoNotTakeThePlaceOfItsOwn() {
    Path path = folder.resolve("model");
    try (Model saved = model(7)) {
      saved.save(path, Map.of("notes.txt", Content.of("kept")));
      for (String name : List.of(ModelArchive.MODEL, ModelArchive.TENSORS)) {
        assertThatThrownBy(() -> saved.save(path, Map.of(name, Content.of("{}"))))
            .isInstanceOf(CremaException.class)
            .hasMessageContaining("'" + name + "' is a file of the model itself");
      }
      try (Model loaded = Model.load(path)) {
        assertThat(all(loaded)).isEqualTo(all(saved));
      }
    }
  }

  @Test
  void aLoadedModelHasTheSameParameters() {
    for (String name : List.of("folder", "file.zip")) {
      Path path = folder.resolve(name);
      try (Model saved = model(7)) {
        saved.metadata().put("note", "kept").putArray("labels").add("a").add("b");
        saved.save(path);
        try (Model loaded = Model.load(path)) {
          assertThat(all(loaded)).isEqualTo(all(saved));
          assertThat(loaded.metadata()).isEqualTo(saved.metadata());
          assertThat(TopologyFormat.toJson(loaded.topology()))
              .isEqualTo(TopologyFormat.toJson(saved.topology()));
        }
      }
    }
  }

  @Test
  void anArchiveIsLoadedInPlace() {
    Path path = folder.resolve("m");
    try (Model saved = model(7);
        Model other = model(8)) {
      saved.save(path);
      Buffer memory = other.parameters();
      try (ModelArchive archive = ModelArchive.open(path)) {
        other.load(archive);
      }
      assertThat(other.parameters()).isSameAs(memory);
      assertThat(all(other)).isEqualTo(all(saved));
    }
  }

  @Test
  void anArchiveOfAnotherTopologyChangesNothing() {
    Path path = folder.resolve("m");
    try (Model saved = Model.sequential(3).dense(4).dense(2).build(7);
        Model other = model(8)) {
      saved.save(path);
      float[] before = all(other);
      try (ModelArchive archive = ModelArchive.open(path)) {
        assertThatThrownBy(() -> other.load(archive))
            .isInstanceOf(CremaException.class)
            .hasMessageContaining("is of another topology than this model");
      }
      assertThat(all(other)).isEqualTo(before);
    }
  }

  @Test
  void tensorsThatDoNotFitAreRefusedAndChangeNothing() {
    Path path =
        edited(
            json -> {},
            tensors -> tensors.replaceAll((n, s) -> n.equals("dense_2/bias") ? Shape.of(3) : s));
    try (Model other = model(8)) {
      float[] before = all(other);
      try (ModelArchive archive = ModelArchive.open(path)) {
        assertThatThrownBy(() -> other.load(archive))
            .isInstanceOf(CremaException.class)
            .hasMessageContaining(
                "tensor 'dense_2/bias' should be F32 [2] but the file has F32 [3]");
      }
      assertThat(all(other)).isEqualTo(before);
    }
    assertThatThrownBy(() -> Model.load(path)).isInstanceOf(CremaException.class);
  }

  @Test
  void missingAndUnknownTensorsAreNamed() {
    Path missing = edited(json -> {}, tensors -> tensors.remove("dense_1/kernel"));
    assertThatThrownBy(() -> Model.load(missing))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("has no tensor 'dense_1/kernel'");
    Path unknown = edited(json -> {}, tensors -> tensors.put("dense_3/kernel", Shape.of(2)));
    assertThatThrownBy(() -> Model.load(unknown))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("no layer of the topology has the tensor 'dense_3/kernel'");
  }

  @Test
  void aTopologyThatDeclaresHugeTensorsTakesNoMemory() {
    for (int units : new int[] {100_000_000, Integer.MAX_VALUE}) {
      Path path =
          edited(
              json -> ((ObjectNode) json.at("/topology/layers/0")).put("units", units),
              tensors -> {});
      assertThatThrownBy(() -> Model.load(path))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("should be F32 [3, " + units + "] but the file has F32 [3, 4]");
    }
  }

  @Test
  void sizesThatOverflowAreRefused() {
    Path path =
        edited(
            json ->
                ((ObjectNode) json.at("/topology/inputs/0"))
                    .putArray("shape")
                    .add(Long.MAX_VALUE / 2),
            tensors -> {});
    assertThatThrownBy(() -> Model.load(path)).isInstanceOf(CremaException.class);
  }

  @Test
  void aClosedModelIsNotLoaded() {
    Path path = folder.resolve("m");
    Model model = model(8);
    model.save(path);
    model.close();
    try (ModelArchive archive = ModelArchive.open(path)) {
      assertThatThrownBy(() -> model.load(archive))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("This model is closed");
    }
  }

  @Test
  void readsAnArchiveThatIsOpenAndWhoseSumsAreKnown(@TempDir Path folder) {
    Path saved = folder.resolve("saved");
    try (Model model = Model.sequential(3).dense(2).build(5)) {
      model.save(saved);
      try (ModelArchive archive = ModelArchive.open(saved);
          Model read = Model.read(archive)) {
        assertThat(read.get("dense_1/kernel")).containsExactly(model.get("dense_1/kernel"));
        assertThat(archive.checksums().sums().keySet()).isEqualTo(archive.names());
        assertThat(archive.checksums().sums().get(ModelArchive.TENSORS))
            .isEqualTo(Checksums.sha256(saved.resolve(ModelArchive.TENSORS)));
      }
    }
  }
}
