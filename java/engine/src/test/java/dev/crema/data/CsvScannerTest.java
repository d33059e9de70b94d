package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class CsvScannerTest {
  private static CsvScanner scanner(String text) {
    return new CsvScanner(
        new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "a.csv", ',');
  }

  private static List<List<String>> read(String text) {
    return read(scanner(text));
  }

  private static List<List<String>> read(CsvScanner scanner) {
    List<List<String>> rows = new ArrayList<>();
    try (scanner) {
      while (scanner.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 0; i < scanner.fields(); i++) {
          row.add(scanner.text(i));
        }
        rows.add(row);
      }
    }
    return rows;
  }

  @Test
  void cutsLinesIntoFields() {
    assertThat(read("a,b\n1,2\r\n3,4\r5,6"))
        .containsExactly(
            List.of("a", "b"), List.of("1", "2"), List.of("3", "4"), List.of("5", "6"));
    assertThat(read("a,,\n,\n")).containsExactly(List.of("a", "", ""), List.of("", ""));
    assertThat(read("")).isEmpty();
    assertThat(read("\n\n  \n\r\n")).isEmpty();
    assertThat(read("a")).containsExactly(List.of("a"));
    assertThat(read("a,")).containsExactly(List.of("a", ""));
  }

  @Test
  void quotesHoldDelimitersLineEndsAndDoubledQuotes() {
    assertThat(read("\"a,b\",\"c\r\nd\",\"say \"\"hi\"\"\"\n\"\",x\n"))
        .containsExactly(List.of("a,b", "c\r\nd", "say \"hi\""), List.of("", "x"));
    assertThat(read("\"\"\"\"")).containsExactly(List.of("\""));
    assertThat(read("\"\"\n")).containsExactly(List.of(""));
    assertThat(read("5\" pipe,2")).containsExactly(List.of("5\" pipe", "2"));
  }

  @Test
  void dropsSpacesAroundFieldsAndTheMarkOfUtf8() {
    assertThat(read("\uFEFF a , \"b \" ,c d \n")).containsExactly(List.of("a", "b ", "c d"));
    assertThat(read("é,日本")).containsExactly(List.of("é", "日本"));
  }

  @Test
  void knowsTheLineOfEveryRecord() {
    CsvScanner scanner = scanner("a\n\n\"b\nb\r\nb\rb\"\r\nc\rd\n");
    List<Long> lines = new ArrayList<>();
    while (scanner.next()) {
      lines.add(scanner.line());
    }
    assertThat(lines).containsExactly(1L, 3L, 7L, 8L);
  }

  @Test
  void goesOnBehindABadRecord() {
    CsvScanner scanner = scanner("a,b\n1,\"2\"x\n3,4\n5,\"6\n7,8\n");
    assertThat(scanner.next()).isTrue();
    assertThatThrownBy(scanner::next)
        .isInstanceOf(CremaException.class)
        .hasMessageStartingWith("a.csv, line 2, column 2: text follows a closing quote: x.");
    assertThat(scanner.next()).isTrue();
    assertThat(scanner.text(0)).isEqualTo("3");
    assertThatThrownBy(scanner::next)
        .hasMessageStartingWith("a.csv, line 4, column 2: a quote opens here that is not closed");
    assertThat(scanner.next()).isTrue();
    assertThat(scanner.text(0)).isEqualTo("7");
    assertThat(scanner.line()).isEqualTo(5);
    assertThat(scanner.next()).isFalse();
  }

  @Test
  void refusesARowThatNeverEnds() {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 'x';
          }

          @Override
          public int read(byte[] b, int off, int len) {
            java.util.Arrays.fill(b, off, off + len, (byte) 'x');
            return len;
          }
        };
    CsvScanner scanner = new CsvScanner(endless, "a.csv", ',');
    assertThatThrownBy(scanner::next).hasMessageContaining("a row of more than 4 MB");
    assertThatThrownBy(scanner::next).hasMessageContaining("a row of more than 4 MB");
  }

  @Test
  void rowsMayBeLongerThanTheBuffer() {
    String field = "x".repeat(300_000);
    String text = "a," + field + ",\"" + field + "\"\"\n" + field + "\"\nb,c,d\n";
    assertThat(read(text))
        .containsExactly(List.of("a", field, field + "\"\n" + field), List.of("b", "c", "d"));
  }

  @Provide
  Arbitrary<String> csvLike() {
    return Arbitraries.strings().withChars("a\"\n\r, ;é1").ofMaxLength(40);
  }

  @Provide
  Arbitrary<List<List<String>>> tables() {
    Arbitrary<String> field = Arbitraries.strings().withChars("ab\"\n\r,;1").ofMaxLength(6);
    return field.list().ofMinSize(2).ofMaxSize(4).list().ofMaxSize(6);
  }

  @Property(tries = 1000)
  void readsBackEveryTableThatIsQuoted(@ForAll("tables") List<List<String>> rows) {
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      for (int i = 0; i < row.size(); i++) {
        text.append(i == 0 ? "" : ",").append('"').append(row.get(i).replace("\"", "\"\""));
        text.append('"');
      }
      text.append("\r\n");
    }
    assertThat(read(text.toString())).isEqualTo(rows);
  }

  @Property(tries = 3000)
  void doesNotDependOnHowTheBytesArrive(@ForAll("csvLike") String text) {
    // Padding brings the end of the first buffer to every place of the text.
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    List<String> whole = tolerant(scanner(text));
    int cut = bytes.length == 0 ? 0 : Math.floorMod(text.hashCode(), bytes.length);
    String padding = "p".repeat((1 << 18) - 1 - cut) + "\n";
    List<String> moved = tolerant(scanner(padding + text));
    assertThat(moved.subList(1, moved.size())).isEqualTo(whole);
  }

  /** Records and errors in one list, without line numbers. */
  private static List<String> tolerant(CsvScanner scanner) {
    List<String> all = new ArrayList<>();
    while (true) {
      try {
        if (!scanner.next()) {
          return all;
        }
        StringBuilder row = new StringBuilder();
        for (int i = 0; i < scanner.fields(); i++) {
          row.append('[').append(scanner.text(i)).append(']');
        }
        all.add(row.toString());
      } catch (CremaException e) {
        all.add(e.getMessage().replaceAll("line \\d+", ""));
      }
    }
  }

  @Test
  void aBrokenInputIsAnExceptionOfOurs() {
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("disk on fire");
          }
        };
    assertThatThrownBy(() -> new CsvScanner(broken, "a.csv", ','))
        .isInstanceOf(CremaException.class)
        .hasMessage("Can't read a.csv: disk on fire");
  }
}
