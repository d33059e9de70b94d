package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CsvFormatTest extends CsvFiles {
  @Test
  void findsDelimiterHeaderAndDecimalComma() {
    for (String d : List.of(",", ";", "\t", "|")) {
      LoadedData data = open("a X b X class\n1X2Xu\n3X4Xv\n".replace("X", d));
      assertThat(table(data).fileColumns()).as(d).containsExactly("a", "b", "class");
    }
    LoadedData comma = open("a;b\n1,5;10\n2,5;20\n3,5;35,5\n");
    assertThat(((TablePreprocessing.Numeric) table(comma).columns().get(0)).mean()).isEqualTo(2.5);
    LoadedData bare = open("5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,3.3,virginica\n");
    assertThat(table(bare).fileColumns()).containsExactly("c0", "c1", "c2");
    assertThat(table(bare).header()).isFalse();
    assertThat(bare.train().size()).isEqualTo(3);
    assertThat(open("buying,doors,ok\nhigh,two,no\nlow,two,yes\nlow,four,no\n").train().size())
        .isEqualTo(3);
    LoadedData words = open("high,two,no\nlow,two,yes\nlow,four,no\nhigh,four,yes\n");
    assertThat(words.train().size()).isEqualTo(4);
    assertThat(open("0,1,label\n5,6,u\n7,8,v\n").train().size()).isEqualTo(2);
  }

  @Test
  void namesThatComeTwiceAreAHeaderWhereTheLabelIsAmongThem() {
    LoadedData data = open("a,a,b,label\n1,2,x,u\n3,4,y,v\n5,7,x,u\n");
    assertThat(table(data).fileColumns()).containsExactly("a", "a_2", "b", "label");
    assertThat(data.train().size()).isEqualTo(3);
    DataOptions named = DataOptions.builder().label("kind").build();
    LoadedData own = Csv.open(file("p,p,q,kind\nn,s,x,u\nt,s,y,v\nn,r,x,u\n"), named);
    assertThat(table(own).fileColumns()).containsExactly("p", "p_2", "q", "kind");
    LoadedData values = open("y,y,b,u\nn,y,a,v\nn,n,b,u\ny,n,a,v\n");
    assertThat(table(values).header()).as("answers of yes and no are no names").isFalse();
  }

  @Test
  void headerAndDelimiterCanBeForced() {
    Path file = file("1,2\n3,4\n5,6\n7,8\n");
    DataOptions forced = DataOptions.builder().header(true).build();
    assertThat(table(Csv.open(file, forced)).fileColumns()).containsExactly("1", "2");
    Path odd = file("a#b#c\n1#2#u\n3#4#v\n");
    DataOptions hash = DataOptions.builder().delimiter('#').build();
    assertThat(Csv.open(odd, hash).train().size()).isEqualTo(2);
    assertThatThrownBy(() -> Csv.open(odd, DataOptions.builder().delimiter('"').build()))
        .hasMessageContaining("A delimiter is");
  }

  @Test
  void readsMarksCarriageReturnsQuotesAndGzip() {
    String text = "\uFEFF\"a\nb\",label\r\n1,\"x, y\"\r\n2,\"z \"\"q\"\"\"\r\n";
    LoadedData data = open(text);
    assertThat(table(data).fileColumns()).containsExactly("a\nb", "label");
    assertThat(data.train().classNames()).containsExactly("x, y", "z \"q\"");
    Path packed = file("data.csv.gz", IdxTest.gzip(text.getBytes(StandardCharsets.UTF_8)));
    assertThat(Rows.all(Csv.open(packed, DataOptions.defaults()).train()))
        .isEqualTo(Rows.all(data.train()));
  }

  @Test
  void readsOtherEncodingsThanUtf8() {
    String text =
        "Größe;Ort;Klasse\r\n1,5 €;Köln;groß\r\n2,5 €;Zürich;klein\r\n3,0 €;Köln;groß\r\n";
    LoadedData expected = Csv.open(file(text), DataOptions.defaults());
    assertThat(table(expected).fileColumns()).containsExactly("Größe", "Ort", "Klasse");
    for (Charset charset : List.of(Charset.forName("windows-1252"), StandardCharsets.UTF_16)) {
      Path file = file(charset + ".csv", text.getBytes(charset));
      LoadedData data = Datasets.open(file, DataOptions.defaults());
      assertThat(data.preprocessing()).as("%s", charset).isEqualTo(expected.preprocessing());
      assertThat(Rows.all(data.train())).isEqualTo(Rows.all(expected.train()));
      List<Map<String, String>> rows = new ArrayList<>();
      try (NamedRows named =
          NamedRows.open(file, expected.preprocessing(), DataOptions.defaults())) {
        rows.add(named.next());
      }
      assertThat(rows).containsExactly(Map.of("Größe", "1,5 €", "Ort", "Köln", "Klasse", "groß"));
    }
  }

  @Test
  void charactersOfTwoHalvesSurviveTheBordersOfBlocks() {
    StringBuilder text = new StringBuilder("a,label\n");
    for (int i = 0; i < 4000; i++) {
      text.append("x".repeat(i % 7)).append("\uD83D\uDE00é,").append(i % 2).append('\n');
    }
    Path file = file("emoji.csv", text.toString().getBytes(StandardCharsets.UTF_16LE));
    byte[] marked = ("\uFEFF" + text).getBytes(StandardCharsets.UTF_16LE);
    assertThatThrownBy(() -> Csv.open(file, DataOptions.defaults())).hasMessageContaining("UTF-16");
    LoadedData data = Csv.open(file("marked.csv", marked), DataOptions.defaults());
    assertThat(table(data)).isEqualTo(table(open(text.toString())));
    assertThat(table(data).width()).isEqualTo(7);
  }

  @Test
  void theDecimalPointIsWhatMostNumbersSay() {
    assertThat(decimal("a;b\n1.234;0,5\n950;0,25\n")).isEqualTo(',');
    assertThat(decimal("a;b\n1,234;0.5\n950;0.25\n")).isEqualTo('.');
    assertThat(decimal("a;b\n1.234.567;1\n950;2\n")).isEqualTo(',');
    assertThat(decimal("a;b\n3,141;1\n2,718;2\n")).isEqualTo(',');
    assertThat(decimal("a\tb\n3,141\t1\n2,718\t2\n")).isEqualTo('.');
    assertThat(decimal("a;b\n31.12.2024;1\n1.2.2024;2\n")).isEqualTo('.');
  }

  private char decimal(String text) {
    return CsvSniffer.sniff(file(text), DataOptions.defaults()).decimal();
  }
}
