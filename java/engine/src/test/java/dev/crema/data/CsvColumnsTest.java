package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CsvColumnsTest extends CsvFiles {
  @Test
  void encodesNumbersCategoriesAndMissingValues() {
    LoadedData data = open(MIXED);
    assertThat(table(data).columns())
        .containsExactly(
            new TablePreprocessing.Numeric("size", 3, Math.sqrt(8 / 3.0)),
            new TablePreprocessing.Categorical("colour", List.of("blue", "red"), true));
    assertThat(data.train().classNames()).containsExactly("no", "yes");
    assertThat(data.train().inputs().get(0).shape()).isEqualTo(Shape.of(4));
    float d = (float) (2 / Math.sqrt(8 / 3.0));
    assertThat(Rows.all(data.train()))
        .containsExactly(
            List.of(-d, 0f, 1f, 0f, 1f),
            List.of(0f, 1f, 0f, 0f, 0f),
            List.of(0f, 0f, 1f, 0f, 0f),
            List.of(d, 0f, 0f, 1f, 1f));
  }

  @Test
  void standardisesToMeanZeroAndDeviationOne() {
    StringBuilder text = new StringBuilder("a,target\n");
    for (int i = 0; i < 100; i++) {
      text.append(1e6 + i * i).append(',').append(i * 0.25).append('\n');
    }
    LoadedData data = open(text.toString());
    List<List<Float>> rows = Rows.all(data.train());
    for (int column : new int[] {0, 1}) {
      double mean = rows.stream().mapToDouble(r -> r.get(column)).average().orElseThrow();
      double square =
          rows.stream().mapToDouble(r -> r.get(column) * r.get(column)).average().orElseThrow();
      assertThat(mean).isCloseTo(0, within(1e-5));
      assertThat(square).isCloseTo(1, within(1e-5));
    }
    var value = (TablePreprocessing.Value) table(data).target();
    assertThat(value.original(rows.get(10).get(1))).isCloseTo(2.5, within(1e-5));
  }

  @Test
  void columnsOfNumbersAndWordsAreCategoriesUnlessTheyLookMeasured() {
    StringBuilder doors = new StringBuilder("doors,weight,label\n");
    for (int i = 0; i < 40; i++) {
      String door = List.of("2", "3", "4", "5more").get(i % 4);
      doors.append(door).append(',').append(900 + i).append(i % 2 == 0 ? ",a\n" : ",b\n");
    }
    assertThat(table(open(doors.toString())).columns().get(0).width()).isEqualTo(4);
    assertThatThrownBy(() -> open(doors.toString().replace("905", "heavy")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("data.csv, line 7, column 2 (weight): expected a number")
        .hasMessageContaining("found \"heavy\"");
  }

  @Test
  void numbersCanBeForcedToBeCategories() {
    Path file = file("zip,label\n8001,a\n8002,b\n8001,b\n");
    DataOptions options = DataOptions.builder().categorical("zip").build();
    assertThat(table(Csv.open(file, options)).columns())
        .containsExactly(new TablePreprocessing.Categorical("zip", List.of("8001", "8002"), false));
  }

  @Test
  void columnsWithTooManyTextsAreNotUsedUnlessTheyMustBe() {
    StringBuilder text = new StringBuilder("name,age,ticket,label\n");
    for (int i = 0; i < 150; i++) {
      text.append("n").append(i).append(',').append(i % 50).append(",t").append(i);
      text.append(i % 2 == 0 ? ",a\n" : ",b\n");
    }
    Path file = file(text.toString());
    LoadedData data = Csv.open(file, DataOptions.defaults());
    assertThat(table(data).columns()).hasSize(3).contains(new TablePreprocessing.Ignored("ticket"));
    assertThat(table(data).width()).isEqualTo(1);
    assertThat(data.notes())
        .contains(
            "Column name holds more than 100 different texts such as \"n0\" and is not used.",
            "Column ticket holds more than 100 different texts such as \"t0\" and is not used.");
    DataOptions forced = DataOptions.builder().categorical("name").build();
    assertThatThrownBy(() -> Csv.open(file, forced))
        .hasMessageContaining("Column name holds more than 100 different texts")
        .hasMessageContaining("too many for categories");
    DataOptions options = DataOptions.builder().ignore("1").build();
    assertThatThrownBy(() -> Csv.open(file, options))
        .hasMessageContaining("no column to learn from")
        .hasMessageContaining("Column ticket holds more than 100");
  }

  @Test
  void columnsThatIdentifyRowsAreNotUsed() {
    StringBuilder text = new StringBuilder("PassengerId,order_id,humid,grid,id,price\n");
    for (int i = 0; i < 150; i++) {
      text.append(i + 1).append(',').append(7_000_000_000L + 13 * i).append(',');
      text.append(i % 120).append(',').append(i * 3).append(',').append(i % 3).append(',');
      text.append(i + 0.5).append('\n');
    }
    LoadedData data = open(text.toString());
    assertThat(table(data).columns().stream().filter(c -> c.width() > 0))
        .extracting(TablePreprocessing.Column::name)
        .containsExactly("humid", "grid", "id");
    assertThat(data.notes())
        .contains(
            "Column PassengerId numbers the rows and is not used.",
            "Column order_id identifies rows and is not used.");
  }

  @Test
  void columnsThatNumberTheRowsOrAreEmptyAreNotUsed() {
    LoadedData data = open("Id,x,empty,label\n1,4,,a\n2,9,NA,b\n3,7,?,a\n4,8,null,b\n");
    assertThat(table(data).width()).isEqualTo(1);
    assertThat(data.notes())
        .anyMatch(note -> note.contains("Id numbers the rows"))
        .anyMatch(note -> note.contains("empty is empty"));
    assertThat(table(open("x,y\n1,2.5\n2,3.5\n3,9.5\n4,1.5\n")).width()).isEqualTo(1);
  }

  @Test
  void columnsThatTellNothingAreNotUsedAndEachSaysWhy() {
    StringBuilder text = new StringBuilder("country,seven,sometimes,name,void,x,label\n");
    for (int i = 0; i < 60; i++) {
      text.append("US,7,").append(i % 3 == 0 ? "yes" : "").append(",name ").append(i).append(",,");
      text.append(i * i).append(i % 2 == 0 ? ",a\n" : ",b\n");
    }
    LoadedData data = Csv.open(file(text.toString()), DataOptions.builder().ignore("x").build());
    assertThat(data.columns())
        .containsExactly(
            new ColumnUse("country", "not used: holds the same value in every row", 0),
            new ColumnUse("seven", "not used: holds the same value in every row", 0),
            new ColumnUse("sometimes", "1 category and missing", 2),
            new ColumnUse(
                "name", "not used: has a text of its own in most rows, such as \"name 0\"", 0),
            new ColumnUse("void", "not used: is empty", 0),
            new ColumnUse("x", "not used: left out as asked", 0),
            new ColumnUse("label", "label, 2 classes", 0));
  }

  @Test
  void ofManyTextsTheMostFrequentAreCategories() {
    StringBuilder text = new StringBuilder("city,label\n");
    for (int i = 0; i < 20_000; i++) {
      // City k comes about twice as often as city 2k.
      int city = (int) Math.floor(150 * Math.pow((i * 7919 % 20_000) / 20_000.0, 3));
      text.append('c').append(city).append(city < 40 ? ",a\n" : ",b\n");
    }
    LoadedData data = open(text.toString());
    var cities = (TablePreprocessing.Categorical) table(data).columns().get(0);
    assertThat(cities.categories()).hasSize(100).contains("c0", "c1", "c50").doesNotContain("c149");
    assertThat(data.columns().get(0).use()).isEqualTo("100 categories, the most frequent of 150");
    float[] rare = table(data).encoder().encode(Map.of("city", "c149"));
    assertThat(rare).hasSize(100).containsOnly(0);
  }

  @Test
  void aColumnOfCodesWhoseMostAreNumbersIsText() {
    StringBuilder text = new StringBuilder("ticket,x,label\n");
    for (int i = 0; i < 300; i++) {
      text.append(i % 4 == 0 ? "PC " : "").append(17_000 + 7 * i).append(',').append(i * i);
      text.append(i % 2 == 0 ? ",a\n" : ",b\n");
    }
    assertThat(open(text.toString()).columns().get(0).use())
        .isEqualTo("not used: holds more than 100 different texts such as \"PC 17000\"");
  }
}
