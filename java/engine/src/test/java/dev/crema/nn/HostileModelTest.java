package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.memory.Buffer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Files that someone damaged, or made to do harm: an exception or a valid model, nothing else. */
class HostileModelTest {
  private static Path folder;
  private static JsonNode document;
  private static byte[] tensors;

  @BeforeContainer
  static void save() throws IOException {
    folder = Files.createTempDirectory("crema-hostile");
    Symbol x = Symbol.input("x", 6, 6, 2);
    Symbol conv = x.then(Conv2d.of(4, 3).withPadding(Padding.of(1)).withGroups(2));
    Symbol pooled = conv.then(MaxPool2d.of(2)).then(Permute.of(2, 1, 3));
    Symbol flat = pooled.then(ReshapeTo.of(9, -1)).then(Conv1d.of(3, 2)).then(new Flatten());
    Dense shared = Dense.of(24, Activation.RELU).withKernelInitializer(Initializer.HE_NORMAL);
    Symbol deep = flat.then(shared).then(shared).then(new Dropout(0.1));
    Symbol sum = new Add().apply(deep, flat);
    Symbol y = new Concat().apply(sum, deep).then(Dense.of(3, Activation.SOFTMAX));
    try (Model model = Model.of(List.of(x), List.of(y), 1)) {
      model.metadata().put("note", "kept");
      model.save(folder.resolve("valid"));
    }
    try (ModelArchive archive = ModelArchive.open(folder.resolve("valid"));
        InputStream in = archive.stream(ModelArchive.TENSORS)) {
      document = archive.json(ModelArchive.MODEL);
      tensors = in.readAllBytes();
    }
  }

  @AfterContainer
  static void delete() throws IOException {
    List<Path> all;
    try (var walk = Files.walk(folder)) {
      all = new ArrayList<>(walk.toList());
    }
    for (int i = all.size() - 1; i >= 0; i--) {
      Files.delete(all.get(i));
    }
  }

  @Property(tries = 3000)
  void anEditedTopologyIsRefusedOrSound(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    JsonNode json = edited(document.get("topology"), random, 1 + random.nextInt(4));
    try {
      Topology topology = TopologyFormat.fromJson(json, "f");
      assertThat(topology.outputTypes()).isNotEmpty();
      JsonNode written = TopologyFormat.toJson(topology);
      assertThat(TopologyFormat.toJson(TopologyFormat.fromJson(written, "g"))).isEqualTo(written);
    } catch (CremaException e) {
      assertThat(e).hasMessageStartingWith("f: ");
    }
  }

  @Property(tries = 150)
  void anEditedModelTakesNoMoreMemoryThanItsFile(@ForAll long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] json = Json.bytes(edited(document, random, 1 + random.nextInt(3)));
    Path path = write(json, tensors);
    long before = Buffer.allocatedBytes();
    try (Model model = Model.load(path)) {
      assertThat(Buffer.allocatedBytes() - before).isLessThan(tensors.length + 4096);
      float[] y = model.predict(new float[72]);
      assertThat(y).isNotEmpty();
    } catch (CremaException e) {
      assertThat(e.getMessage()).isNotBlank();
    }
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }

  /** Text that no JSON tree has: names twice, depth, endless numbers, half characters. */
  @Property(tries = 300)
  void anyTextInPlaceOfTheModelIsRefusedOrSound(@ForAll long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    String text = new String(Json.bytes(document), StandardCharsets.UTF_8);
    for (int i = random.nextInt(3); i >= 0; i--) {
      int from = random.nextInt(text.length());
      int to = Math.min(text.length(), from + random.nextInt(random.nextInt(1, 40)));
      text = text.substring(0, from) + TEXTS.get(random.nextInt(TEXTS.size())) + text.substring(to);
    }
    byte[] json = text.getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(4) == 0) {
      json[random.nextInt(json.length)] = (byte) random.nextInt(128, 256); // no UTF-8
    }
    Path path = write(json, tensors);
    long before = Buffer.allocatedBytes();
    try (Model model = Model.load(path)) {
      assertThat(Buffer.allocatedBytes() - before).isLessThan(tensors.length + 4096);
      assertThat(model.predict(new float[72])).isNotEmpty();
    } catch (CremaException e) {
      assertThat(e).hasMessageContaining(path.toString());
    }
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }

  private static final List<String> TEXTS =
      List.of(
          "",
          "[".repeat(5_000),
          "{\"a\":".repeat(5_000),
          "\"units\": 3, \"units\": 4,",
          "\"topology\": {},",
          "1e999",
          "-0",
          "9".repeat(500),
          "9223372036854775808",
          "1.0",
          "NaN",
          "\"\\ud800\"",
          "\u0000",
          "null,",
          "}",
          "]",
          "},{",
          "\"");

  @Property(tries = 100)
  void shortenedTensorsAreRefused(@ForAll long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] part = Arrays.copyOf(tensors, random.nextInt(tensors.length));
    Path path = write(Json.bytes(document), part);
    long before = Buffer.allocatedBytes();
    assertThatThrownBy(() -> Model.load(path)).isInstanceOf(CremaException.class);
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }

  @Property(tries = 100)
  void damageThatTheChecksumsShowIsRefused(@ForAll long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Path path = write(Json.bytes(document), tensors);
    List<String> names = List.of(ModelArchive.MODEL, ModelArchive.TENSORS);
    Path file = path.toRealPath().resolve(names.get(random.nextInt(2)));
    byte[] bytes = Files.readAllBytes(file);
    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    Files.write(file, bytes);
    assertThatThrownBy(() -> Model.load(path)).isInstanceOf(CremaException.class);
  }

  private static Path write(byte[] json, byte[] tensorFile) {
    Path path = folder.resolve("edited");
    ModelArchive.write(
        path,
        Map.of(ModelArchive.MODEL, Content.of(json), ModelArchive.TENSORS, Content.of(tensorFile)));
    return path;
  }

  private static JsonNode edited(JsonNode valid, SplittableRandom random, int edits) {
    JsonNode json = valid.deepCopy();
    for (int i = 0; i < edits; i++) {
      List<JsonNode> containers = new ArrayList<>();
      collect(json, containers);
      edit(containers.get(random.nextInt(containers.size())), containers, random);
    }
    return json;
  }

  private static void collect(JsonNode node, List<JsonNode> containers) {
    if (node.isContainerNode()) {
      containers.add(node);
      node.forEach(child -> collect(child, containers));
    }
  }

  private static void edit(JsonNode at, List<JsonNode> all, SplittableRandom random) {
    JsonNode value =
        random.nextInt(4) == 0 ? all.get(random.nextInt(all.size())).deepCopy() : value(random);
    if (at instanceof ObjectNode object) {
      List<String> names = new ArrayList<>(List.of("units", "weights", "padding", ""));
      object.fieldNames().forEachRemaining(names::add);
      String name = names.get(random.nextInt(names.size()));
      if (random.nextInt(4) == 0) {
        object.remove(name);
      } else {
        object.set(name, value);
      }
    } else if (at instanceof ArrayNode array) {
      int index = random.nextInt(array.size() + 1);
      if (random.nextInt(3) == 0) {
        array.remove(index);
      } else if (random.nextBoolean() || index == array.size()) {
        array.insert(index, value);
      } else {
        array.set(index, value);
      }
    }
  }

  private static JsonNode value(SplittableRandom random) {
    JsonNodeFactory f = JsonNodeFactory.instance;
    List<JsonNode> values =
        List.of(
            f.numberNode(0),
            f.numberNode(1),
            f.numberNode(2),
            f.numberNode(-1),
            f.numberNode(3_000_000),
            f.numberNode(Integer.MAX_VALUE),
            f.numberNode(Integer.MIN_VALUE),
            f.numberNode(Long.MAX_VALUE),
            f.numberNode(Long.MIN_VALUE),
            f.numberNode(1e300),
            f.numberNode(0.5),
            f.nullNode(),
            f.booleanNode(true),
            f.textNode(""),
            f.textNode("x"),
            f.textNode("dense_1"),
            f.textNode("same"),
            f.textNode("relu"),
            f.textNode("int64"),
            f.textNode("flatten"),
            f.textNode("concat"),
            f.textNode("conv_transpose2d"),
            f.arrayNode(),
            f.arrayNode().add(2).add(1),
            f.arrayNode().add(Integer.MAX_VALUE).add(Integer.MAX_VALUE),
            f.objectNode());
    return values.get(random.nextInt(values.size()));
  }
}
