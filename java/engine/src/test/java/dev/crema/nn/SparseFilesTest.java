package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.io.TensorInfo;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import dev.crema.op.QuantizationParameters;
import dev.crema.pass.LayerQuantization;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels that are mostly zero, in files and back. */
class SparseFilesTest {
  @TempDir Path folder;

  private static final String KERNEL = "dense_1/kernel";

  private static Model model() {
    return Model.sequential(101).dense(67, Activation.RELU).dense(5).build(3);
  }

  /** Random weights of which that share is not 0, signed zeros, NaN and infinities among them. */
  private static void prune(Model model, double density) {
    float[] w = new float[model.get(KERNEL).length];
    SplittableRandom random = new SplittableRandom(4);
    float[] odd = {-0f, Float.NaN, Float.NEGATIVE_INFINITY, Float.MIN_VALUE};
    for (int i = 0; i < w.length; i++) {
      if (random.nextDouble() < density) {
        w[i] = i % 10 == 0 ? odd[i / 10 % odd.length] : (float) random.nextDouble(-1, 1);
      }
    }
    model.set(KERNEL, w);
  }

  private static LayerQuantization layer(int units) {
    float[] scales = new float[units];
    Arrays.fill(scales, 0.002f);
    return new LayerQuantization(new QuantizationParameters(0.01f, 5), scales);
  }

  private static int[] bits(float... values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  private static List<String> tensors(Path path) {
    try (ModelArchive archive = ModelArchive.open(path)) {
      return List.copyOf(archive.tensors().tensors().keySet());
    }
  }

  private static ObjectNode json(Path path) {
    try (ModelArchive archive = ModelArchive.open(path)) {
      return (ObjectNode) archive.json(ModelArchive.MODEL);
    }
  }

  private static long bytes(Path path) {
    try (ModelArchive archive = ModelArchive.open(path)) {
      return archive.tensors().tensors().values().stream().mapToLong(TensorInfo::byteSize).sum();
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.001, 0.01, 0.02, 0.1, 0.5, 0.9, 1})
  void everyBitComesBack(double density) {
    for (String name : new String[] {"folder", "file.zip"}) {
      Path path = folder.resolve(name);
      try (Model model = model()) {
        prune(model, density);
        model.save(path);
        try (Model loaded = Model.load(path)) {
          for (Parameter p : model.table().all()) {
            assertThat(bits(loaded.get(p.path()))).isEqualTo(bits(model.get(p.path())));
          }
        }
        try (Model other = model();
            ModelArchive archive = ModelArchive.open(path)) {
          other.load(archive);
          assertThat(bits(other.get(KERNEL))).isEqualTo(bits(model.get(KERNEL)));
        }
      }
    }
  }

  @Test
  void aKernelIsStoredAsIsSmallest() {
    Path path = folder.resolve("m");
    try (Model model = model()) {
      prune(model, 0.1);
      model.save(path);
      assertThat(tensors(path))
          .contains(KERNEL + ".values", KERNEL + ".bitmap", "dense_1/bias", "dense_2/kernel")
          .doesNotContain(KERNEL, KERNEL + ".indices");
      assertThat(json(path).path("version").asInt()).isEqualTo(4);
      assertThat(json(path).path("sparse").toString()).isEqualTo("[\"" + KERNEL + "\"]");
      prune(model, 0.02);
      model.save(path);
      assertThat(tensors(path)).contains(KERNEL + ".indices").doesNotContain(KERNEL + ".bitmap");
      prune(model, 0); // indices would promise any size of kernel for nothing
      model.save(path);
      assertThat(tensors(path)).contains(KERNEL + ".bitmap");
      prune(model, 0.95);
      model.save(path);
      assertThat(tensors(path)).contains(KERNEL).doesNotContain(KERNEL + ".values");
      assertThat(json(path).path("version").asInt()).isEqualTo(1);
    }
  }

  @Test
  void anInt8ModelWithNineTenthsZerosTakesAnEighth() {
    Path dense = folder.resolve("dense");
    Path small = folder.resolve("small");
    try (Model model = Model.sequential(300).dense(200, Activation.RELU).dense(10).build(3)) {
      model.save(dense);
      for (String path : new String[] {"dense_1/kernel", "dense_2/kernel"}) {
        float[] w = model.get(path);
        for (int i = 0; i < w.length; i++) {
          w[i] = i % 10 == 3 ? w[i] : 0;
        }
        model.set(path, w);
      }
      Map<String, LayerQuantization> layers = new LinkedHashMap<>();
      layers.put("dense_1", layer(200));
      layers.put("dense_2", layer(10));
      try (Model quantized = model.quantized(new Quantization(layers))) {
        quantized.save(small);
        assertThat(bytes(small)).isLessThan(bytes(dense) / 8);
        try (Model loaded = Model.load(small)) {
          for (Parameter p : quantized.table().all()) {
            assertThat(bits(loaded.get(p.path()))).isEqualTo(bits(quantized.get(p.path())));
          }
        }
      }
    }
  }

  @Test
  void olderLibrariesSeeAVersionThatTheyRefuse() {
    Path path = folder.resolve("m");
    try (Model model = model()) {
      prune(model, 0.1);
      model.save(path);
    }
    // What a library that knows no sparse tensors does: it takes version 1 and nothing else.
    assertThat(json(path).path("version").asInt()).isNotIn(1, 2, 3);
    refuse(document -> document.put("version", 1), Map.of(), "format version 1");
    refuse(document -> document.remove("sparse"), Map.of(), "format version 4");
  }

  @Test
  void damagedFilesAreRefusedWithTheTensorsName() {
    byte[] bitmap = part(".bitmap");
    byte[] values = part(".values");
    byte[] more = bitmap.clone();
    more[5] ^= 1;
    refuse(d -> {}, Map.of(KERNEL + ".bitmap", bytes(more)), "places for");
    byte[] behind = bitmap.clone();
    behind[behind.length - 1] |= (byte) 0x80;
    refuse(d -> {}, Map.of(KERNEL + ".bitmap", bytes(behind)), "bits behind its 6767 elements");
    byte[] less = Arrays.copyOf(bitmap, bitmap.length - 1);
    refuse(d -> {}, Map.of(KERNEL + ".bitmap", bytes(less)), "should be U8 [846]");
    byte[] few = Arrays.copyOf(values, values.length - 4);
    refuse(d -> {}, Map.of(KERNEL + ".values", floats(few)), "places for");
    refuse(d -> d.putArray("sparse").add("nothing/kernel"), Map.of(), "'nothing/kernel'");
    refuse(d -> d.putArray("sparse").add(KERNEL).add(KERNEL), Map.of(), "once");
    refuse(d -> d.put("sparse", 3), Map.of(), "should be a list");
    refuse(d -> d.putArray("sparse"), Map.of(), KERNEL);
    refuse(d -> {}, Map.of(KERNEL + ".indices", ints(0, 1, 2)), "a bitmap or indices, one of both");
    refuse(d -> {}, Map.of(KERNEL, floats(new byte[4 * 6767])), "a second time");
    refuse(d -> {}, Map.of("other.values", floats(new byte[4])), "'other.values'");
  }

  @Test
  void damagedIndicesAreRefused() {
    int[] good = new int[100];
    for (int i = 0; i < good.length; i++) {
      good[i] = 60 * i;
    }
    indices(good.clone(), null);
    int[] twice = good.clone();
    twice[50] = twice[49];
    indices(twice, "has index 2940 after 2940");
    int[] far = good.clone();
    far[99] = 6767;
    indices(far, "has index 6767 after 5880");
    int[] negative = good.clone();
    negative[0] = -1;
    indices(negative, "has index -1");
    indices(new int[] {3, 4}, "indices of 2 values where it should have a bitmap");
  }

  private void indices(int[] places, String message) {
    byte[] values = new byte[4 * places.length];
    values[2] = 1;
    Map<String, NamedTensor> changed = new LinkedHashMap<>();
    changed.put(KERNEL + ".bitmap", null);
    changed.put(KERNEL + ".indices", ints(places));
    changed.put(KERNEL + ".values", floats(values));
    if (message != null) {
      refuse(d -> {}, changed, message);
    } else {
      Model.load(damaged(d -> {}, changed)).close();
    }
  }

  private byte[] part(String suffix) {
    Path path = valid();
    try (ModelArchive archive = ModelArchive.open(path)) {
      Safetensors tensors = archive.tensors();
      ByteBuffer bytes =
          ByteBuffer.allocateDirect((int) tensors.tensor(KERNEL + suffix).byteSize());
      tensors.read(KERNEL + suffix, bytes);
      byte[] copy = new byte[bytes.capacity()];
      bytes.get(0, copy);
      return copy;
    }
  }

  private static NamedTensor bytes(byte[] content) {
    return NamedTensor.of(
        "", ElementType.UINT8, Shape.of(content.length), ByteBuffer.wrap(content));
  }

  private static NamedTensor floats(byte[] content) {
    return NamedTensor.of(
        "", ElementType.FLOAT32, Shape.of(content.length / 4), ByteBuffer.wrap(content));
  }

  private static NamedTensor ints(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    return NamedTensor.of("", ElementType.INT32, Shape.of(values.length), bytes);
  }

  private Path valid() {
    Path path = folder.resolve("valid");
    try (Model model = model()) {
      prune(model, 0.1);
      model.save(path);
    }
    return path;
  }

  private void refuse(Consumer<ObjectNode> edit, Map<String, NamedTensor> changed, String message) {
    Path path = damaged(edit, changed);
    assertThatThrownBy(() -> Model.load(path))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(message);
  }

  /** The valid file with another document and other tensors; null takes one away. */
  private Path damaged(Consumer<ObjectNode> edit, Map<String, NamedTensor> changed) {
    Path path = valid();
    ObjectNode document = json(path);
    edit.accept(document);
    Map<String, NamedTensor> tensors = new LinkedHashMap<>();
    try (ModelArchive archive = ModelArchive.open(path)) {
      for (TensorInfo info : archive.tensors().tensors().values()) {
        ByteBuffer bytes = ByteBuffer.allocateDirect((int) info.byteSize());
        archive.tensors().read(info.name(), bytes);
        tensors.put(
            info.name(), NamedTensor.of(info.name(), info.type(), info.shape(), bytes.clear()));
      }
    }
    changed.forEach(
        (name, t) -> {
          tensors.remove(name);
          if (t != null) {
            tensors.put(name, new NamedTensor(name, t.type(), t.shape(), t.content()));
          }
        });
    Map<String, Content> files = new LinkedHashMap<>();
    files.put(ModelArchive.MODEL, Content.of(Json.bytes(document)));
    files.put(
        ModelArchive.TENSORS,
        Safetensors.content(new ArrayList<>(tensors.values()), Map.of("format", "crema")));
    Path target = folder.resolve("damaged");
    ModelArchive.write(target, files);
    return target;
  }
}
