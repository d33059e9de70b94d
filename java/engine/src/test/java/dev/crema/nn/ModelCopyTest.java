package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.memory.Buffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelCopyTest {
  @TempDir Path folder;

  private static Model model(long seed) {
    return Model.sequential(3).dense(4, Activation.RELU).dense(2).build(seed);
  }

  @Test
  void aCopyIsAnotherModelOfTheSameValues() {
    Model model = model(1);
    model.metadata().put("note", "kept");
    try (Model copy = model.copy()) {
      float[] before = model.predict(1, 2, 3);
      model.set("dense_2/bias", new float[] {5, 5});
      model.metadata().put("note", "changed");
      model.close();
      assertThat(copy.predict(1, 2, 3)).isEqualTo(before);
      assertThat(copy.metadata().get("note").asText()).isEqualTo("kept");
    }
  }

  @Test
  void aLoadedModelPredictsTheSameBits() {
    Path path = folder.resolve("model.zip");
    try (Model model = model(1)) {
      model.save(path);
      try (Model loaded = Model.load(path)) {
        for (int i = 0; i < 20; i++) {
          assertThat(loaded.predict(i, -i, 0.5f)).isEqualTo(model.predict(i, -i, 0.5f));
        }
      }
    }
  }

  @Test
  void tensorsGoFromModelToModelByName() {
    Path file = folder.resolve("weights.safetensors");
    try (Model from = Model.sequential(3).dense(4).dense(9).build(1);
        Model to = model(2)) {
      from.exportTensors(file);
      float[] last = to.get("dense_2/kernel");
      to.importTensors(file, path -> path.startsWith("dense_1") ? path : null);
      assertThat(to.get("dense_1/kernel")).isEqualTo(from.get("dense_1/kernel"));
      assertThat(to.get("dense_2/kernel")).isEqualTo(last);
    }
  }

  @Test
  void anImportThatDoesNotFitChangesNothing() {
    Path file = folder.resolve("weights.safetensors");
    try (Model from = Model.sequential(3).dense(4).dense(9).build(1);
        Model to = model(2)) {
      from.exportTensors(file);
      float[] before = to.get("dense_1/kernel");
      assertThatThrownBy(() -> to.importTensors(file, path -> path))
          .isInstanceOf(CremaException.class)
          .hasMessage(
              file
                  + ": tensor 'dense_2/kernel' should be F32 [4, 2] but the file has F32 [4, 9]."
                  + " The topology and the tensors do not belong together.");
      assertThatThrownBy(() -> to.importTensors(file, path -> "other/" + path))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("has no tensor 'other/dense_1/kernel'");
      assertThat(to.get("dense_1/kernel")).isEqualTo(before);
    }
  }

  /** As tensors beyond 2 GB are, which no ByteBuffer holds. */
  @Test
  void aTensorIsShownInStretches() {
    try (Model model = model(1)) {
      Parameter kernel = model.table().get("dense_1/kernel");
      float[] seen = new float[12];
      List<Long> starts = new ArrayList<>();
      model.chunks(
          kernel,
          20,
          (from, bytes) -> {
            starts.add(from);
            bytes.asFloatBuffer().get(seen, (int) from / 4, bytes.remaining() / 4);
          });
      assertThat(starts).containsExactly(0L, 20L, 40L);
      assertThat(seen).isEqualTo(model.get("dense_1/kernel"));
    }
  }

  @Test
  void aParameterBeyondAnArrayIsRefusedBeforeMemoryIsTaken() {
    long before = Buffer.allocatedBytes();
    Topology topology = Model.sequential(65_536).dense(65_536).topology();
    assertThatThrownBy(() -> Model.of(topology, 1))
        .isInstanceOf(CremaException.class)
        .hasMessage(
            "dense_1/kernel of [65536, 65536] has more elements than a Java array holds"
                + " (4294967296). Make the layer smaller or split it.");
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }

  @Test
  void reservedMetadataIsRefused() {
    try (Model model = model(1)) {
      model.metadata().put("topology", 5);
      assertThatThrownBy(() -> model.save(folder.resolve("m")))
          .isInstanceOf(CremaException.class)
          .hasMessage("'topology' in a model's metadata is reserved");
    }
  }

  @Test
  void valuesOfAnotherSizeAndUnknownPathsAreRefused() {
    try (Model model = model(1)) {
      assertThatThrownBy(() -> model.set("dense_2/bias", new float[3]))
          .isInstanceOf(CremaException.class)
          .hasMessage("dense_2/bias is [2] (2 values), got 3");
      assertThatThrownBy(() -> model.get("dense_3/bias"))
          .isInstanceOf(CremaException.class)
          .hasMessage(
              "This model has no parameter 'dense_3/bias'; it has [dense_1/kernel, dense_1/bias,"
                  + " dense_2/kernel, dense_2/bias]");
    }
  }
}
