package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DatesTest {
  private static final Dates YEAR_FIRST = new Dates(DateOrder.YEAR_MONTH_DAY);
  private static final Dates DAY_FIRST = new Dates(DateOrder.DAY_MONTH_YEAR);
  private static final Dates MONTH_FIRST = new Dates(DateOrder.MONTH_DAY_YEAR);
  private static final double LAST_OF_2024 = LocalDate.of(2024, 12, 31).toEpochDay();

  @Test
  void readsDatesAsPeopleWriteThem() {
    for (Dates dates : List.of(YEAR_FIRST, DAY_FIRST, MONTH_FIRST)) {
      for (String text :
          new String[] {
            "2024-12-31",
            "2024/12/31",
            "2024.12.31",
            "31 Dec 2024",
            "31-Dec-24",
            "31. december 2024",
            "Dec 31, 2024",
            "December 31 2024",
            "DEC-31-2024"
          }) {
        assertThat(dates.parse(text)).as(text).isEqualTo(LAST_OF_2024);
      }
    }
    assertThat(DAY_FIRST.parse("31/12/2024")).isEqualTo(LAST_OF_2024);
    assertThat(DAY_FIRST.parse("31.12.24")).isEqualTo(LAST_OF_2024);
    assertThat(DAY_FIRST.parse("1.2.2024")).isEqualTo(LocalDate.of(2024, 2, 1).toEpochDay());
    assertThat(MONTH_FIRST.parse("12/31/2024")).isEqualTo(LAST_OF_2024);
    assertThat(MONTH_FIRST.parse("1/2/2024")).isEqualTo(LocalDate.of(2024, 1, 2).toEpochDay());
    assertThat(YEAR_FIRST.parse("1949-03")).isEqualTo(LocalDate.of(1949, 3, 1).toEpochDay());
    assertThat(DAY_FIRST.parse("1/1/69")).isEqualTo(LocalDate.of(1969, 1, 1).toEpochDay());
  }

  @Test
  void readsTimesAndZones() {
    double at = LAST_OF_2024 + (8 * 60 + 15) / 1440.0;
    for (String text :
        new String[] {
          "2024-12-31 08:15",
          "2024-12-31T08:15:00",
          "2024-12-31 08:15:00.000",
          "2024-12-31 8:15 AM",
          "2024-12-31T08:15Z",
          "2024-12-31 08:15:00 UTC",
          "2024-12-31T10:15:00+02:00",
          "2024-12-31T03:15-0500",
          "2024-12-31 09:15:00+01",
          "Dec 31, 2024, 8:15 am"
        }) {
      assertThat(YEAR_FIRST.parse(text)).as(text).isEqualTo(at);
    }
    assertThat(MONTH_FIRST.parse("12/31/2024 8:15:30 PM"))
        .isEqualTo(LAST_OF_2024 + (20 * 3600 + 15 * 60 + 30) / 86_400.0);
    assertThat(MONTH_FIRST.parse("12/31/2024 12:00 AM")).isEqualTo(LAST_OF_2024);
  }

  @Test
  void refusesWhatIsNoDate() {
    for (String text :
        new String[] {
          "",
          "2024",
          "20241231",
          "2024-13-01",
          "2024-02-30",
          "2024-1-",
          "31/12/2024",
          "12-31",
          "2024-12-31x",
          "2024-12-31 ",
          "2024-12-31 8",
          "2024-12-31 25:00",
          "2024-12-31 08:60",
          "2024-12-31 13:00 PM",
          "2024-12-31 08:15+",
          "2024-12-31 08:15 CEST",
          "Foo 31, 2024",
          "31 12 2024",
          "1.5",
          "12.2024",
          "999-12-31",
          "08:15:00",
          "Mayor 5, 2024",
          "3 may"
        }) {
      assertThat(YEAR_FIRST.parse(text)).as(text).isNaN();
    }
    assertThat(DAY_FIRST.parse("12/31/2024")).isNaN();
    assertThat(MONTH_FIRST.parse("31/12/2024")).isNaN();
    assertThat(DAY_FIRST.parse("31/12/024")).isNaN();
    assertThat(DAY_FIRST.parse("31/12-2024")).isNaN();
  }

  @Property(tries = 2000)
  void readsWhatJavaFormats(
      @ForAll @IntRange(min = -30_000, max = 40_000) int day,
      @ForAll @IntRange(min = 0, max = 86_399) int second,
      @ForAll @IntRange(min = -12, max = 14) int zone) {
    LocalDateTime time = LocalDate.ofEpochDay(day).atStartOfDay().plusSeconds(second);
    double expected = day + second / 86_400.0;
    assertThat(YEAR_FIRST.parse(time.toString())).isEqualTo(expected);
    assertThat(DAY_FIRST.parse(time.format(DateTimeFormatter.ofPattern("d/M/yyyy HH:mm:ss"))))
        .isEqualTo(expected);
    assertThat(
            MONTH_FIRST.parse(
                time.format(DateTimeFormatter.ofPattern("MMM dd yyyy h:mm:ss a", Locale.US))))
        .isEqualTo(expected);
    OffsetDateTime there =
        time.atOffset(ZoneOffset.UTC).withOffsetSameInstant(ZoneOffset.ofHours(zone));
    assertThat(YEAR_FIRST.parse(there.toString())).isCloseTo(expected, within(1e-10));
  }

  @Property(tries = 2000)
  void neverThrows(@ForAll byte[] bytes) {
    DAY_FIRST.parse(bytes, 0, bytes.length);
  }
}
