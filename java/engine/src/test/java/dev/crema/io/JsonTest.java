package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  record Layer(String name, int units, double rate, List<Float> history) {}

  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("a.json"), text);
  }

  @Test
  void aRecordComesBackWithNumbersThatAreNotFinite() throws IOException {
    var layer = new Layer("größe", 64, Double.NaN, List.of(1.5f, Float.NEGATIVE_INFINITY));
    Path file = folder.resolve("a.json");
    Json.write(file, layer);
    assertThat(Files.readString(file)).contains("\"rate\" : \"NaN\"").endsWith("}\n");
    assertThat(Files.readString(file)).doesNotContain("\r");
    assertThat(Json.read(file, Layer.class)).isEqualTo(layer);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\":1,~\"a\":2}        | line 2, column 4  | Duplicate",
        "{\"a\":1} x               | line 1            | Unrecognized token 'x'",
        "{\"a\":1} {}              | line 1, column 9  | Trailing token",
        "{\"a\":NaN}               | line 1            | NaN",
        "{\"a\":1,}                | line 1            | Unexpected character",
        "// c                      | line 1            | comment",
        "{\"a\":                   | line 1            | end-of-input",
        "{\"a\":01}                | line 1            | Leading zero",
      })
  void whatIsNotStrictNamesFileLineAndColumn(String text, String place, String fault)
      throws IOException {
    Path file = file(text.replace('~', '\n'));
    assertThatThrownBy(() -> Json.read(file))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(file + ", " + place)
        .hasMessageContaining(fault);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"name\":\"a\",\"units\":\"64\",\"rate\":1,\"history\":[]}",
        "{\"name\":\"a\",\"units\":6.4,\"rate\":1,\"history\":[]}",
        "{\"name\":\"a\",\"units\":null,\"rate\":1,\"history\":[]}",
        "{\"name\":\"a\",\"rate\":1,\"history\":[]}",
        "{\"name\":\"a\",\"units\":1,\"rate\":\"x\",\"history\":[]}",
        "{\"name\":\"a\",\"units\":1,\"rate\":1,\"history\":[],\"more\":1}",
        "{\"name\":\"a\",\"units\":99999999999,\"rate\":1,\"history\":[]}",
        "[]",
        "3"
      })
  void whatDoesNotFitTheTypeIsRefused(String text) throws IOException {
    Path file = file(text);
    assertThatThrownBy(() -> Json.read(file, Layer.class))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(file + ", line 1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "  \n"})
  void anEmptyFileIsRefused(String text) throws IOException {
    Path file = file(text);
    assertThatThrownBy(() -> Json.read(file))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(file + " is empty");
  }

  @Test
  void deepNestingAndOtherEncodingsAreRefused() throws IOException {
    Path deep = file("[".repeat(100_000));
    assertThatThrownBy(() -> Json.read(deep))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("nesting");
    Path utf16 = Files.write(folder.resolve("b"), "{}".getBytes(StandardCharsets.UTF_16));
    assertThatThrownBy(() -> Json.read(utf16)).isInstanceOf(CremaException.class);
    Path bad = Files.write(folder.resolve("c"), new byte[] {'"', (byte) 0xff, '"'});
    assertThatThrownBy(() -> Json.read(bad))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("not UTF-8");
  }

  @Test
  void aMissingFileIsNamed() {
    assertThatThrownBy(() -> Json.read(folder.resolve("none.json")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("none.json: there is no such file");
  }

  @Test
  void theSameTreeGivesTheSameBytes() {
    JsonNode tree = Json.parse("{\"b\":[1,2.50],\"a\":{\"c\":null}}", "text");
    assertThat(Json.bytes(tree)).isEqualTo(Json.bytes(tree.deepCopy()));
    assertThat(Json.parse(new String(Json.bytes(tree), StandardCharsets.UTF_8), "x"))
        .isEqualTo(tree);
  }
}
