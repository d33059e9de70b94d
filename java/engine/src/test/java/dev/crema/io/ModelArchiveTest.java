package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelArchiveTest {
  @TempDir Path parent;

  /** A model of which every file tells the version. */
  static Map<String, Content> model(int version) {
    ByteBuffer w = ByteBuffer.allocateDirect(4000).order(ByteOrder.LITTLE_ENDIAN);
    while (w.hasRemaining()) {
      w.putFloat(version);
    }
    NamedTensor tensor = NamedTensor.of("w", ElementType.FLOAT32, Shape.of(1000), w.flip());
    Map<String, Content> files = new LinkedHashMap<>();
    files.put(ModelArchive.TENSORS, Safetensors.content(List.of(tensor), Map.of()));
    files.put(ModelArchive.MODEL, Content.of(Json.bytes(Map.of("version", version))));
    files.put("curves.svg", out -> out.write(ByteBuffer.wrap(("<svg>" + version).getBytes())));
    return files;
  }

  static void check(ModelArchive archive, int version) throws IOException {
    assertThat(archive.names())
        .containsExactly("curves.svg", ModelArchive.MODEL, ModelArchive.TENSORS);
    assertThat(archive.json(ModelArchive.MODEL).path("version").asInt(-1)).isEqualTo(version);
    ByteBuffer w = ByteBuffer.allocate(4000).order(ByteOrder.LITTLE_ENDIAN);
    archive.tensors().read("w", w);
    assertThat(w.getFloat(0)).isEqualTo(version);
    assertThat(archive.tensors().view("w")).isEqualTo(w.flip());
    try (InputStream svg = archive.stream("curves.svg")) {
      assertThat(new String(svg.readAllBytes())).isEqualTo("<svg>" + version);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "model.zip", "Model.ZIP"})
  void aModelComesBackFromFolderAndZipAndIsReplaced(String name) throws IOException {
    Path target = parent.resolve(name);
    for (int version = 1; version <= 2; version++) {
      ModelArchive.write(target, model(version));
      try (ModelArchive archive = ModelArchive.open(target)) {
        check(archive, version);
      }
    }
    try (Stream<Path> all = Files.list(parent)) {
      assertThat(all).containsExactly(target);
    }
  }

  @Test
  void theSameModelGivesTheSameZipAndItsTensorsAreAligned() throws IOException {
    Path target = parent.resolve("model.zip");
    ModelArchive.write(target, model(1));
    byte[] first = Files.readAllBytes(target);
    ModelArchive.write(target, model(1));
    assertThat(Files.readAllBytes(target)).isEqualTo(first);
    try (ModelArchive archive = ModelArchive.open(target)) {
      assertThat(archive.tensors().view("w").alignmentOffset(0, 64)).isZero();
    }
  }

  @Test
  void otherZipReadersReadOurZip() throws IOException {
    Path target = parent.resolve("model.zip");
    ModelArchive.write(target, model(5));
    try (ZipFile zip = new ZipFile(target.toFile())) {
      assertThat(zip.stream().map(ZipEntry::getName))
          .containsExactly(
              ModelArchive.TENSORS, ModelArchive.MODEL, "curves.svg", ModelArchive.CHECKSUMS);
      try (InputStream in = zip.getInputStream(zip.getEntry("curves.svg"))) {
        assertThat(new String(in.readAllBytes())).isEqualTo("<svg>5");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "my model/"})
  void aFolderThatSomeonePackedIsRead(String prefix) throws IOException {
    Path folder = parent.resolve("model");
    ModelArchive.write(folder, model(7));
    Path packed = parent.resolve("packed.zip");
    try (OutputStream out = Files.newOutputStream(packed);
        ZipOutputStream zip = new ZipOutputStream(out);
        Stream<Path> files = Files.list(folder)) {
      if (!prefix.isEmpty()) {
        zip.putNextEntry(new ZipEntry(prefix));
        zip.putNextEntry(new ZipEntry("__MACOSX/._x"));
      }
      for (Path file : files.toList()) {
        zip.putNextEntry(new ZipEntry(prefix + file.getFileName()));
        Files.copy(file, zip);
      }
    }
    try (ModelArchive archive = ModelArchive.open(packed)) {
      check(archive, 7);
    }
  }

  @Test
  void anOpenArchiveStaysTheVersionItWas() throws IOException {
    for (String name : List.of("model", "model.zip")) {
      Path target = parent.resolve(name);
      ModelArchive.write(target, model(1));
      try (ModelArchive archive = ModelArchive.open(target)) {
        ModelArchive.write(target, model(2));
        check(archive, 1);
      }
    }
  }

  @Test
  void afterCloseReadingIsAnErrorButViewsStay() {
    Path target = parent.resolve("model.zip");
    ModelArchive.write(target, model(3));
    ModelArchive archive = ModelArchive.open(target);
    Safetensors tensors = archive.tensors();
    ByteBuffer view = tensors.view("w");
    archive.close();
    archive.close();
    assertThat(view.getFloat(0)).isEqualTo(3f);
    assertThatThrownBy(() -> tensors.read("w", ByteBuffer.allocate(4000)))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> archive.json(ModelArchive.MODEL))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void whatAUserPutIntoAModelFolderSurvivesASave() throws IOException {
    Path target = parent.resolve("model");
    ModelArchive.write(target, model(1));
    Files.writeString(target.resolve("README.md"), "mine");
    Files.createDirectories(target.resolve("logs/a"));
    Files.writeString(target.resolve("logs/a/b.csv"), "1,2");
    Map<String, Content> fewer = model(2);
    fewer.remove("curves.svg");
    ModelArchive.write(target, fewer);
    assertThat(target.resolve("README.md")).hasContent("mine");
    assertThat(target.resolve("logs/a/b.csv")).hasContent("1,2");
    assertThat(target.resolve("curves.svg")).doesNotExist();
    ModelArchive.open(target).close();
  }

  @Test
  void aFolderThatHoldsNoModelIsNotReplaced() throws IOException {
    Path target = Files.createDirectory(parent.resolve("photos"));
    ModelArchive.write(target, model(1)); // an empty one may be used
    Files.delete(target.resolve(ModelArchive.CHECKSUMS));
    assertThatThrownBy(() -> ModelArchive.requireReplaceable(target))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("holds other files and no model");
    assertThatThrownBy(() -> ModelArchive.write(target, model(2)))
        .isInstanceOf(CremaException.class);
    assertThat(target.resolve(ModelArchive.MODEL)).exists();
    assertThatThrownBy(() -> ModelArchive.requireReplaceable(Path.of("")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("working folder");
    Path file = Files.writeString(parent.resolve("file"), "x");
    assertThatThrownBy(() -> ModelArchive.write(file, model(2))).hasMessageContaining("is a file");
    Path below = file.resolve("deep/model");
    assertThatThrownBy(() -> ModelArchive.requireReplaceable(below))
        .as("before anything is computed")
        .isInstanceOf(CremaException.class)
        .hasMessage("Cannot save a model in " + below + ": " + file + " is a file, not a folder.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ".hidden", "../a", "a/b", "a\\b", "checksums.json", "Checksums.JSON", "a b"})
  void namesThatAreNoFilesOfAModelAreRefused(String name) {
    assertThatThrownBy(() -> ModelArchive.write(parent.resolve("m"), Map.of(name, Content.of("x"))))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("cannot be a file of a model");
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "model.zip"})
  void aFullDiskLeavesTheOldModelWhole(String name) throws IOException {
    Path target = parent.resolve(name);
    ModelArchive.write(target, model(1));
    for (long capacity : new long[] {0, 100, 4095}) {
      assertThatThrownBy(
              () -> ArchiveWriter.write(target, model(2), out -> new FailingChannel(out, capacity)))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("Cannot write " + target)
          .hasMessageContaining("No space left on device")
          .hasMessageMatching("(?s).*\\d+ bytes free.*");
      try (ModelArchive archive = ModelArchive.open(target)) {
        check(archive, 1);
      }
      try (Stream<Path> all = Files.list(parent)) {
        assertThat(all).containsExactly(target);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "model.zip"})
  void readersSeeTheOldModelOrTheNewOneWhileWritersReplaceIt(String name) throws IOException {
    Path target = parent.resolve(name);
    ModelArchive.write(target, model(0));
    var done = new AtomicBoolean();
    var writers =
        Stream.of(1, 2)
            .map(
                start ->
                    CompletableFuture.runAsync(
                        () -> {
                          for (int i = start; i < 60; i += 2) {
                            ModelArchive.write(target, model(i));
                          }
                        }))
            .toList();
    var all = CompletableFuture.allOf(writers.toArray(new CompletableFuture<?>[0]));
    all.whenComplete((r, e) -> done.set(true));
    int reads = 0;
    while (!done.get() || reads == 0) {
      try (ModelArchive archive = ModelArchive.open(target)) {
        check(archive, archive.json(ModelArchive.MODEL).path("version").asInt());
      }
      reads++;
    }
    all.join();
    try (Stream<Path> left = Files.list(parent)) {
      assertThat(left).containsExactly(target);
    }
  }

  @Test
  void whatAUserPutIntoAModelFolderSurvivesSeveralWritersAtOnce() throws IOException {
    Path target = parent.resolve("model");
    ModelArchive.write(target, model(0));
    Files.writeString(target.resolve("README.md"), "mine");
    var writers =
        Stream.of(1, 2, 3)
            .map(
                version ->
                    CompletableFuture.runAsync(
                        () -> {
                          for (int i = 0; i < 20; i++) {
                            ModelArchive.write(target, model(version));
                          }
                        }))
            .toArray(CompletableFuture<?>[]::new);
    CompletableFuture.allOf(writers).join();
    assertThat(target.resolve("README.md")).hasContent("mine");
    try (Stream<Path> left = Files.list(parent)) {
      assertThat(left).containsExactly(target);
    }
  }
}
