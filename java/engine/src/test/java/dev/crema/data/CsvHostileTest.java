package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class CsvHostileTest extends CsvFiles {
  @Test
  void badRowsAreNamedOrCounted() {
    String text = "a,b,label\n1,2,u\n3,4\n5.5,x,v\n6.5,2,v\n7.5,\"8\"z,u\n1,2,\n3,4,u\n2,3,v\n";
    assertThatThrownBy(() -> open(text))
        .hasMessageContaining("data.csv, line 3, column 2: expected 3 columns, found 2")
        .hasMessageContaining("--skip-bad-rows");
    DataOptions skip = DataOptions.builder().skipBadRows(true).build();
    LoadedData data = Csv.open(file(text), skip);
    assertThat(data.train().size()).isEqualTo(4);
    assertThat(data.badRows()).isEqualTo(4);
    assertThat(data.notes()).contains("4 bad rows were left out.");
    LoadedData clean = open("a,b,label\n1,2,u\n6.5,2,v\n3,4,u\n2,3,v\n");
    assertThat(data.preprocessing()).isEqualTo(clean.preprocessing());
    assertThat(Rows.all(data.train())).isEqualTo(Rows.all(clean.train()));
    DataOptions streamed = DataOptions.builder().skipBadRows(true).memoryLimit(0).build();
    LoadedData stream = Csv.open(file(text), streamed);
    assertThat(stream.badRows()).isEqualTo(4);
    assertThat(stream.train().size()).isEqualTo(4);
    assertThat(Rows.all(stream.train())).isEqualTo(Rows.all(clean.train()));
  }

  @Test
  void saysWhatIsWrongWithAFile() {
    assertThatThrownBy(() -> open("")).hasMessageContaining("is empty");
    assertThatThrownBy(() -> open("\n\n")).hasMessageContaining("has no rows");
    assertThatThrownBy(() -> open("a,label\n")).isInstanceOf(CremaException.class);
    assertThatThrownBy(() -> open("label\nx\ny\n")).hasMessageContaining("no column to learn from");
    assertThatThrownBy(() -> open("a,label\n1,x\n2,x\n")).hasMessageContaining("the label x");
    assertThatThrownBy(
            () -> Csv.open(file("u.csv", new byte[] {'a', 0, ',', 0}), DataOptions.defaults()))
        .hasMessageContaining("UTF-16");
    assertThatThrownBy(() -> open("a,label\n1e308,x\n-1e308,y\n1e308,x\n"))
        .hasMessageContaining("too great");
    DataOptions ignored = DataOptions.builder().ignore("label").build();
    assertThatThrownBy(() -> Csv.open(file(MIXED), ignored)).hasMessageContaining("is the label");
  }

  @Test
  void aFewNumbersThatAreTooGreatAreNamedInsteadOfTrainedOn() {
    StringBuilder text = new StringBuilder("a,b,label\n");
    for (int i = 0; i < 40; i++) {
      text.append(i == 5 ? "1e308" : i == 6 ? "-1e308" : i + 0.5).append(",");
      text.append(i % 7).append(i % 2 == 0 ? ",u\n" : ",v\n");
    }
    assertThatThrownBy(() -> open(text.toString()))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("Column a can't be standardised")
        .hasMessageContaining("too great");
  }

  @Test
  void aNumberFarBeyondThoseThatWereLearntIsBadInsteadOfInfinite() {
    LoadedData data = open("a,label\n1,u\n2,v\n3,u\n4,v\n");
    Path far = file("far.csv", "a,label\n1,u\n1e300,v\n".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> Csv.open(far, table(data), DataOptions.defaults()))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("far.csv, line 3, column 1 (a): expected a number, found \"1e300\"");
    LoadedData values = open("a,label\n1,1.5\n2,2.5\n3,3.5\n4,4.5\n");
    assertThatThrownBy(() -> Csv.open(far, table(values), DataOptions.defaults()))
        .isInstanceOf(CremaException.class);
    assertThatThrownBy(() -> values.preprocessing().encoder().encode(Map.of("a", "-1e300")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("-1e300");
  }

  @Test
  void aFileOfThousandsOfConstantColumnsGetsAShortMessage() {
    StringBuilder text = new StringBuilder();
    for (int c = 0; c < 3000; c++) {
      text.append("f").append(c).append(",");
    }
    text.append("label\n");
    for (String label : List.of("u", "v", "u", "v")) {
      text.append("1,".repeat(3000)).append(label).append("\n");
    }
    assertThatThrownBy(() -> open(text.toString()))
        .hasMessageContaining("no column to learn from")
        .hasMessageEndingWith(" And 2995 more.");
  }

  @Test
  void aFileWhoseOnlyRowIsBadHasNoColumns() throws IOException {
    Path file = Files.createTempFile("fuzz", ".csv");
    try {
      Files.writeString(file, "\"aa\té, 1,  ;b  \"A;e1\";5b; \"");
      DataOptions options = DataOptions.builder().skipBadRows(true).build();
      assertThatThrownBy(() -> Csv.open(file, options))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("no row could be read");
    } finally {
      Files.delete(file);
    }
  }

  @Provide
  Arbitrary<String> tables() {
    return Arbitraries.strings().withChars("ab1.5,;\"\n\r NA?é$€%/:(\t|-e").ofMaxLength(120);
  }

  @Property(tries = 1500)
  void anyBytesEndInADatasetOrAnExceptionOfOurs(
      @ForAll("tables") String text, @ForAll boolean skip, @ForAll boolean stream)
      throws IOException {
    Path file = Files.createTempFile("fuzz", ".csv");
    try {
      Files.writeString(file, text);
      DataOptions options =
          DataOptions.builder()
              .skipBadRows(skip)
              .memoryLimit(stream ? 0 : 1 << 20)
              .validationSplit(0.3)
              .build();
      LoadedData data = Csv.open(file, options);
      assertThat((long) Rows.all(data.train()).size()).isEqualTo(data.train().size());
      assertThat(Rows.all(data.train())).allMatch(r -> r.stream().allMatch(Float::isFinite));
      Dataset again = Datasets.open(file, data.preprocessing(), options);
      assertThat(again.inputs()).isEqualTo(data.train().inputs());
    } catch (CremaException e) {
      assertThat(e).hasMessageContaining("fuzz");
    } finally {
      Files.delete(file);
    }
  }
}
