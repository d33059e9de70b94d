package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Columns of currency, percent and grouped numbers, and of dates. */
class CsvWrittenTest extends CsvFiles {
  private static final String PRICES =
      """
      price,rate,change,label
      "$1,234.00",12%,"(1,500)",a
      $950,5.5%,200,b
      "$2,000.50",-,"1,000",a
      "$12,000",7%,-,b
      """;

  private static TablePreprocessing.Numeric numeric(LoadedData data, int column) {
    return (TablePreprocessing.Numeric) table(data).columns().get(column);
  }

  @Test
  void writtenNumbersAreStandardisedLikePlainOnes() {
    LoadedData written = open(PRICES);
    LoadedData plain =
        open(
            "price,rate,change,label\n1234,12,-1500,a\n950,5.5,200,b\n2000.5,,1000,a\n"
                + "12000,7,,b\n");
    assertThat(Rows.all(written.train())).isEqualTo(Rows.all(plain.train()));
    assertThat(numeric(written, 0).figures()).isEqualTo(new Figures('.', "$"));
    assertThat(numeric(written, 1).figures()).isEqualTo(new Figures('.', "%"));
    assertThat(numeric(written, 2).figures()).isEqualTo(new Figures('.', ""));
    assertThat(numeric(plain, 0).figures()).isNull();
    assertThat(written.columns())
        .extracting(ColumnUse::use)
        .containsExactly(
            "number such as $1,234.5",
            "number such as 12.5%",
            "number such as 1,234.5",
            "label, 2 classes");
  }

  @Test
  void aModelReadsNumbersAsItsTrainingFileDid() {
    TablePreprocessing table = table(open(PRICES));
    assertThat(Preprocessing.fromJson(table.toJson())).isEqualTo(table);
    // In a file with semicolons, alone, 1,234 would be a decimal comma.
    List<List<Float>> same = rows(table, "price;rate;change\n$1,234;12%;-1,500\n1,234;12;-1500\n");
    assertThat(same.get(0)).isEqualTo(same.get(1));
    assertThatThrownBy(() -> rows(table, "price,rate,change\n€5,12%,7\n"))
        .hasMessageContaining("column 1 (price): expected a number such as $1,234.5, found \"€5\"");
  }

  private List<List<Float>> rows(TablePreprocessing table, String text) {
    return Rows.all(Datasets.open(file(text), table, DataOptions.defaults()));
  }

  private static List<float[]> encoded(TablePreprocessing table, String text) {
    List<float[]> rows = new ArrayList<>();
    RowEncoder encoder = table.encoder();
    try (NamedRows named =
        NamedRows.open(
            new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)),
            "input",
            table,
            DataOptions.defaults())) {
      for (Map<String, String> row = named.next(); row != null; row = named.next()) {
        rows.add(encoder.encode(row));
      }
    }
    return rows;
  }

  @Test
  void jsonNumbersHaveAPointWhateverTheTrainingFileHad() {
    String german = "betrag;y\n1.234,50 €;1,5\n950 €;2,5\n2.000 €;9,25\n-12,125 €;7,75\n";
    TablePreprocessing table = table(open(german));
    assertThat(((TablePreprocessing.Numeric) table.columns().get(0)).figures())
        .isEqualTo(new Figures(',', "€"));
    List<float[]> json =
        encoded(
            table,
            "{\"betrag\": 1234.5}\n{\"betrag\": -12.125}\n{\"betrag\": \"1.234,5\"}\n"
                + "{\"betrag\": 950}\n{\"betrag\": 0.2E4}\n{\"betrag\": 95000.0e-2}\n"
                + "{\"betrag\": 1.2345E+3}\n");
    List<List<Float>> file = rows(table, german);
    assertThat(json.get(0)[0]).isEqualTo(file.get(0).get(0));
    assertThat(json.get(1)[0]).isEqualTo(file.get(3).get(0));
    assertThat(json.get(2)[0]).isEqualTo(file.get(0).get(0));
    assertThat(json.get(3)[0]).isEqualTo(file.get(1).get(0));
    assertThat(json.get(4)[0]).isEqualTo(file.get(2).get(0));
    assertThat(json.get(5)[0]).isEqualTo(file.get(1).get(0));
    assertThat(json.get(6)[0]).isEqualTo(file.get(0).get(0));
  }

  @Test
  void numbersOfOtherSizesHaveAnExponentInJsonToo() {
    String german = "betrag;y\n1.234,50 €;1,5\n950 €;2,5\n2.000 €;9,25\n-12,125 €;7,75\n";
    TablePreprocessing table = table(open(german));
    List<float[]> json =
        encoded(table, "{\"betrag\": 12345678.5}\n{\"betrag\": \"12.345.678,5\"}\n");
    assertThat(json.get(0)[0]).isEqualTo(json.get(1)[0]); // Java writes 1.23456785E7
    json = encoded(table, "{\"betrag\": 0.0000125}\n{\"betrag\": \"0,0000125\"}\n");
    assertThat(json.get(0)[0]).isEqualTo(json.get(1)[0]); // Java writes 1.25E-5
  }

  @Test
  void rowsOfPlainNumbersWithACommaAreReadLikeTheFile() {
    String text = "a;label\n1,5;x\n2,5;y\n4,25;x\n";
    TablePreprocessing table = table(open(text));
    List<List<Float>> file = rows(table, text);
    List<float[]> rows = encoded(table, text);
    for (int i = 0; i < 3; i++) {
      assertThat(rows.get(i)[0]).isEqualTo(file.get(i).get(0));
    }
    assertThat(encoded(table, "a,label\n1.5,x\n").get(0)[0]).isEqualTo(file.get(0).get(0));
  }

  @Test
  void aWrittenTargetIsPredictedInItsUnit() {
    LoadedData data = open("x,price\n1,\"$1,000.50\"\n2,$950\n3,\"$2,000\"\n4,\"$12,000\"\n");
    var price = (TablePreprocessing.Value) table(data).target();
    assertThat(price.figures()).isEqualTo(new Figures('.', "$"));
    assertThat(price.original(Rows.last(data.train()).get(3))).isCloseTo(12_000, within(1e-2));
    assertThat(Preprocessing.fromJson(table(data).toJson())).isEqualTo(table(data));
  }

  @Test
  void theModelsOfEarlierVersionsStillRead() {
    ObjectNode json = table(open(MIXED)).toJson();
    assertThat(json.toString()).doesNotContain("figures");
    assertThat(Preprocessing.fromJson(json)).isEqualTo(table(open(MIXED)));
  }

  private static TablePreprocessing.Date date(LoadedData data) {
    return (TablePreprocessing.Date) table(data).columns().get(0);
  }

  @Test
  void datesBecomeDaysAndTheirPlaceInCycles() {
    StringBuilder text = new StringBuilder("when,label\n");
    LocalDate start = LocalDate.of(2020, 1, 1);
    for (int i = 0; i < 1000; i++) {
      text.append(start.plusDays(i)).append(i % 2 == 0 ? " 06:00,a\n" : " 18:00,b\n");
    }
    LoadedData data = open(text.toString());
    assertThat(date(data).order()).isEqualTo(DateOrder.YEAR_MONTH_DAY);
    assertThat(date(data).cycles()).containsExactly(Cycle.DAY, Cycle.WEEK, Cycle.YEAR);
    assertThat(date(data).mean()).isCloseTo(start.toEpochDay() + 500, within(0.1));
    assertThat(table(data).width()).isEqualTo(7);
    List<List<Float>> rows = Rows.all(data.train());
    assertThat(rows.stream().mapToDouble(r -> r.get(0)).average().orElseThrow())
        .isCloseTo(0, within(1e-5));
    assertThat(rows.get(0).get(1)).isCloseTo(1, within(1e-6f)); // six o'clock: a quarter of a day
    assertThat(rows.get(1).get(1)).isCloseTo(-1, within(1e-6f));
    for (int c = 3; c <= 4; c++) { // a fortnight later the weekday is the same
      assertThat(rows.get(14).get(c)).isCloseTo(rows.get(0).get(c), within(1e-5f));
    }
    assertThat(Preprocessing.fromJson(table(data).toJson())).isEqualTo(table(data));
    float[] missing = table(data).encoder().encode(Map.of("when", ""));
    assertThat(missing).containsOnly(0);
  }

  @Test
  void aShortSpanHasNoCycles() {
    LoadedData data = open("d,label\n2024-01-01,a\n2024-01-05,b\n2024-01-03,a\n2024-01-08,b\n");
    assertThat(date(data).cycles()).isEmpty();
    assertThat(table(data).width()).isEqualTo(1);
  }

  private static String dates(String pattern, int days) {
    StringBuilder text = new StringBuilder("d,label\n");
    for (int i = 0; i < days; i++) {
      LocalDate day = LocalDate.of(2024, 1, 1).plusDays(i);
      text.append(
          String.format(
              Locale.ROOT, pattern, day.getDayOfMonth(), day.getMonthValue(), day.getYear()));
      text.append(i % 2 == 0 ? ",a\n" : ",b\n");
    }
    return text.toString();
  }

  @Test
  void theColumnTellsWhetherDayOrMonthComesFirst() {
    // Sorted, so that the first days could be either; and beyond the rows that are sampled.
    String many = dates("%1$02d/%2$02d/%3$d", 12).repeat(100).replace("d,label\n", "");
    LoadedData data = open("d,label\n" + many + "13/01/2024,a\n");
    assertThat(date(data).order()).isEqualTo(DateOrder.DAY_MONTH_YEAR);
    assertThat(data.notes()).noneMatch(note -> note.contains("day or month"));
    assertThat(date(open(dates("%2$d/%1$d/%3$d", 40))).order()).isEqualTo(DateOrder.MONTH_DAY_YEAR);
    assertThat(date(open(dates("%1$d.%2$d.%3$d", 40))).order()).isEqualTo(DateOrder.DAY_MONTH_YEAR);
  }

  @Test
  void datesThatCouldBeEitherAreSaidOnce() {
    LoadedData slashes = open(dates("%2$02d/%1$02d/%3$d", 12));
    assertThat(date(slashes).order()).isEqualTo(DateOrder.MONTH_DAY_YEAR);
    assertThat(slashes.notes())
        .containsOnlyOnce(
            "Column d: its dates could have day or month first; they are read as month-day-year."
                + " Dates such as 2024-12-31 are sure.");
    assertThat(date(open(dates("%1$02d.%2$02d.%3$d", 12))).order())
        .isEqualTo(DateOrder.DAY_MONTH_YEAR);
  }

  @Test
  void aDateThatIsNoneIsNamed() {
    String text = dates("%3$d-%2$02d-%1$02d", 40) + "2024-02-31,a\n";
    assertThatThrownBy(() -> open(text))
        .hasMessageContaining("line 42, column 1 (d): expected a date (year-month-day)")
        .hasMessageContaining("found \"2024-02-31\"");
  }
}
