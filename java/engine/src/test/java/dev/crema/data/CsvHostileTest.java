package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
