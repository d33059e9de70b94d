package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class NamedRowsTest {
  private static final TablePreprocessing TABLE =
      new TablePreprocessing(
          List.of(
              new TablePreprocessing.Numeric("a", 0, 1), new TablePreprocessing.Numeric("b", 0, 1)),
          new TablePreprocessing.Value("y", 1, 0, 1),
          true);

  private static List<Map<String, String>> read(String text, Preprocessing preprocessing) {
    List<Map<String, String>> rows = new ArrayList<>();
    try (NamedRows reader =
        NamedRows.open(
            new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)),
            "input",
            preprocessing,
            DataOptions.defaults())) {
      for (Map<String, String> row = reader.next(); row != null; row = reader.next()) {
        rows.add(row);
      }
    }
    return rows;
  }

  @Test
  void readsJsonLinesAndArrays() {
    List<Map<String, String>> expected =
        List.of(Map.of("a", "1.5", "b", ""), Map.of("a", "x", "b", "true"));
    assertThat(read("{\"a\":1.5,\"b\":null}\n\n{\"a\":\"x\",\"b\":true}\n", TABLE))
        .isEqualTo(expected);
    assertThat(read(" [{\"a\":1.5,\"b\":null},{\"a\":\"x\",\"b\":true}]", TABLE))
        .isEqualTo(expected);
  }

  @Test
  void numbersInArraysAreValuesOfTheirOwn() {
    ArrayPreprocessing four = new ArrayPreprocessing(Shape.of(2, 2), 1, List.of());
    Map<String, String> row = read("{\"x\":[[1,2],[3,4]]}", four).get(0);
    assertThat(four.encoder().encode(row)).containsExactly(1, 2, 3, 4);
  }

  @Test
  void readsDelimitedTextWithAHeaderOrByPlace() {
    assertThat(read("b;a\n1;2\n", TABLE)).containsExactly(Map.of("a", "2", "b", "1"));
    assertThat(read("1,2\n", TABLE)).containsExactly(Map.of("a", "1", "b", "2"));
    assertThat(read("1,9,2\n", TABLE)).containsExactly(Map.of("a", "1", "y", "9", "b", "2"));
    assertThatThrownBy(() -> read("1,2,3,4\n", TABLE))
        .hasMessageContaining("4 columns and no header");
  }

  @Test
  void namesThePlaceOfWhatCanNotBeRead() {
    assertThatThrownBy(() -> read("a,b\n1,2\n1\n", TABLE))
        .hasMessage("input, line 3, column 1: expected 2 columns, found 1");
    assertThatThrownBy(() -> read("{\"a\":1}\n{\"a\":}\n", TABLE))
        .hasMessageStartingWith("input, line 2, column 6: not JSON");
    assertThatThrownBy(() -> read("{\"a\":1}\n3\n", TABLE)).hasMessageContaining("an object");
    assertThatThrownBy(() -> read("{\"a\":{\"b\":1}}", TABLE))
        .hasMessage("input, line 1: a is an object; values are numbers or texts");
    assertThatThrownBy(() -> read("", TABLE)).hasMessageContaining("empty");
  }

  @Provide
  Arbitrary<String> jsonLike() {
    return Arbitraries.strings().withChars("{}[]\":,ab1 \nnult\\").ofMaxLength(30);
  }

  @Property(tries = 1000)
  void anyTextEndsInRowsOrAnExceptionOfOurs(@ForAll("jsonLike") String text) {
    try {
      read("{" + text, TABLE).forEach(row -> assertThat(row).isNotNull());
    } catch (CremaException e) {
      assertThat(e).hasMessageStartingWith("input");
    }
  }
}
