package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class FiguresTest {
  private static double parse(Figures figures, String text) {
    byte[] b = text.getBytes(StandardCharsets.UTF_8);
    return figures.parse(b, 0, b.length);
  }

  @Test
  void readsNumbersAsPeopleWriteThem() {
    Figures dollars = new Figures('.', "$");
    assertThat(parse(dollars, "$1,234.00")).isEqualTo(1234);
    assertThat(parse(dollars, "$ 12")).isEqualTo(12);
    assertThat(parse(dollars, "1,234,567.5")).isEqualTo(1_234_567.5);
    assertThat(parse(dollars, "($1,234)")).isEqualTo(-1234);
    assertThat(parse(dollars, "-$5.50")).isEqualTo(-5.5);
    assertThat(parse(dollars, "$-5.50")).isEqualTo(-5.5);
    assertThat(parse(dollars, "\u22125")).isEqualTo(-5);
    assertThat(parse(dollars, "+5")).isEqualTo(5);
    assertThat(parse(dollars, "$.5")).isEqualTo(0.5);
    assertThat(parse(dollars, "1e3")).isEqualTo(1000);
    assertThat(parse(new Figures('.', "%"), "12.5 %")).isEqualTo(12.5);
    assertThat(parse(new Figures('.', "USD"), "USD 1,234")).isEqualTo(1234);
    assertThat(parse(new Figures('.', "₹"), "₹ 1,23,456.50")).isEqualTo(123_456.5);
    assertThat(parse(new Figures('.', "CHF"), "CHF 1'234.50")).isEqualTo(1234.5);
    assertThat(parse(new Figures('.', "US$"), "US$1,000")).isEqualTo(1000);
    assertThat(parse(new Figures(',', "€"), "1.234,50 €")).isEqualTo(1234.5);
    assertThat(parse(new Figures(',', ""), "1 234,5")).isEqualTo(1234.5);
    assertThat(parse(new Figures(',', ""), "1\u00A0234\u00A0567")).isEqualTo(1_234_567);
    assertThat(parse(new Figures(',', ""), "1\u202F234,5")).isEqualTo(1234.5);
    assertThat(parse(new Figures(',', "kr"), "12 500 kr")).isEqualTo(12_500);
  }

  @Test
  void refusesWhatIsNoNumberOfTheColumn() {
    for (String text :
        new String[] {
          "",
          "$",
          "€5",
          "5%",
          "$5$",
          "(5",
          "5)",
          "(-5)",
          "--5",
          "-$-5",
          "1,23",
          "1,2345",
          "1,234,5",
          "1,234 567",
          "12,345,67",
          "$1.2.3",
          "5 kg",
          "abc1",
          "A1",
          "1,234.5.6",
          "31/12/2024",
          "2024-12-31",
          "192.168.0.1",
          "08:15"
        }) {
      assertThat(parse(new Figures('.', "$"), text)).as(text).isNaN();
    }
    assertThat(parse(new Figures('.', ""), "$5")).isNaN();
    assertThat(parse(new Figures('.', ""), "1,".repeat(1000))).isNaN();
    assertThatThrownBy(() -> new Figures(';', "")).hasMessageContaining("decimal point");
    assertThatThrownBy(() -> new Figures('.', "kg")).hasMessageContaining("\"kg\" is no sign");
  }

  @Property(tries = 2000)
  void readsWhatJavaFormats(
      @ForAll @IntRange(min = -2_000_000_000, max = 2_000_000_000) int cents,
      @ForAll boolean comma,
      @ForAll boolean grouped) {
    DecimalFormatSymbols symbols =
        DecimalFormatSymbols.getInstance(comma ? Locale.GERMANY : Locale.US);
    String text = new DecimalFormat(grouped ? "#,##0.00" : "0.00", symbols).format(cents / 100.0);
    Figures figures = new Figures(comma ? ',' : '.', "€");
    assertThat(parse(figures, text)).as(text).isEqualTo(cents / 100.0);
    assertThat(parse(figures, text + " €")).isEqualTo(cents / 100.0);
  }

  @Property(tries = 2000)
  void neverThrows(@ForAll byte[] bytes, @ForAll String text) {
    new Figures(',', "€").parse(bytes, 0, bytes.length);
    Figures.match(text, '.');
  }
}
