package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.junit.jupiter.api.Test;

class PreprocessingTest {
  private static final TablePreprocessing TABLE =
      new TablePreprocessing(
          List.of(
              new TablePreprocessing.Numeric("a", 0.1, 1.0 / 3),
              new TablePreprocessing.Categorical("b \"q\"", List.of("ü", ""), true),
              new TablePreprocessing.Ignored("c")),
          new TablePreprocessing.Classes("y", 1, List.of("no", "yes")),
          true);
  private static final TablePreprocessing REGRESSION =
      new TablePreprocessing(
          List.of(new TablePreprocessing.Numeric("a", -1e300, 1e-300)),
          new TablePreprocessing.Value("y", 0, 5, 2),
          false);
  private static final ArrayPreprocessing PIXELS =
      new ArrayPreprocessing(Shape.of(2, 2, 1), 1.0 / 255, List.of("cat", "dog"));

  @Test
  void jsonKeepsEverything() throws IOException {
    for (Preprocessing p : List.of(TABLE, REGRESSION, PIXELS)) {
      JsonNode json = new ObjectMapper().readTree(p.toJson().toString());
      assertThat(Preprocessing.fromJson(json)).isEqualTo(p);
    }
  }

  @Test
  void jsonIsNotTrusted() {
    refuse("kind", "tree", "preprocessing.kind must be \"table\" or \"array\"");
    refuse("header", 1, "preprocessing.header must be true or false, got 1");
    refuse("columns", "x", "preprocessing.columns must be an array");
    refuse("target", null, "preprocessing.target must be an object, got null");
    ObjectNode json = TABLE.toJson();
    ((ObjectNode) json.get("columns").get(0)).put("deviation", 0);
    assertThatThrownBy(() -> Preprocessing.fromJson(json))
        .hasMessage("JSON: preprocessing.columns[0].deviation must be a number above 0, got 0.0");
    ((ObjectNode) json.get("columns").get(0)).put("deviation", 1).put("mean", "NaN");
    assertThatThrownBy(() -> Preprocessing.fromJson(json)).hasMessageContaining("finite number");
    ObjectNode twice = TABLE.toJson();
    ((ObjectNode) twice.get("columns").get(0)).put("name", "c");
    assertThatThrownBy(() -> Preprocessing.fromJson(twice)).hasMessageContaining("named c");
    ObjectNode place = TABLE.toJson();
    ((ObjectNode) place.get("target")).put("position", 4);
    assertThatThrownBy(() -> Preprocessing.fromJson(place)).hasMessageContaining("position 4");
    ObjectNode huge = PIXELS.toJson();
    ((ArrayNode) huge.get("shape")).add(2_000_000_000).add(2_000_000_000);
    assertThatThrownBy(() -> Preprocessing.fromJson(huge)).isInstanceOf(CremaException.class);
    assertThatThrownBy(() -> Preprocessing.fromJson(null)).isInstanceOf(CremaException.class);
  }

  private static void refuse(String member, Object value, String message) {
    ObjectNode json = TABLE.toJson();
    json.set(member, new ObjectMapper().valueToTree(value));
    assertThatThrownBy(() -> Preprocessing.fromJson(json))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(message);
  }

  @Property(tries = 500, shrinking = ShrinkingMode.OFF)
  void damagedJsonEndsInAnExceptionOfOurs(@ForAll long seed, @ForAll boolean table) {
    Mix random = new Mix(seed);
    ObjectNode json = (table ? TABLE : PIXELS).toJson();
    JsonNode node = json;
    while (node.size() > 0) {
      int i = random.below(node.size());
      JsonNode child =
          node.isArray()
              ? node.get(i)
              : node.properties().stream().skip(i).findFirst().orElseThrow().getValue();
      if (child.size() == 0 || random.below(3) == 0) {
        JsonNode other =
            List.of(
                    NullNode.getInstance(),
                    new ObjectMapper().valueToTree(-1),
                    new ObjectMapper().valueToTree("x"),
                    new ObjectMapper().createArrayNode())
                .get(random.below(4));
        if (node instanceof ArrayNode array) {
          array.set(i, other);
        } else {
          String name = node.properties().stream().skip(i).findFirst().orElseThrow().getKey();
          ((ObjectNode) node).set(name, other);
        }
        break;
      }
      node = child;
    }
    try {
      assertThat(Preprocessing.fromJson(json).inputShape().elements()).isPositive();
    } catch (CremaException e) {
      assertThat(e.getMessage()).isNotBlank();
    }
  }

  @Test
  void arraysTakeAsManyNumbersAsTheyHaveElements() {
    Map<String, String> row = new LinkedHashMap<>();
    for (int i = 0; i < 4; i++) {
      row.put("p" + i, Integer.toString(51 * i));
    }
    assertThat(PIXELS.encoder().encode(row)).containsExactly(0f, 0.2f, 0.4f, 0.6f);
    row.put("p3", "?");
    assertThatThrownBy(() -> PIXELS.encoder().encode(row))
        .hasMessage("Column p3: expected a number, found \"?\"");
    row.remove("p3");
    assertThatThrownBy(() -> PIXELS.encoder().encode(row))
        .hasMessageContaining("3 values; the model takes 4");
  }

  @Test
  void valuesComeBackInTheirOwnUnit() {
    assertThat(((TablePreprocessing.Value) REGRESSION.target()).original(1.5)).isEqualTo(8);
  }
}
