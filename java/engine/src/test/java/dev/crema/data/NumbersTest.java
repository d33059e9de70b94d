package dev.crema.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class NumbersTest {
  @Property(tries = 5000)
  void readsWhatJavaPrints(@ForAll double value) {
    Double expected = Double.isFinite(value) ? value : Double.NaN;
    assertThat((Double) Numbers.parse(Double.toString(value))).isEqualTo(expected);
    float narrow = (float) value;
    Double expectedNarrow =
        Float.isFinite(narrow) ? Double.valueOf(Float.toString(narrow)) : Double.NaN;
    assertThat((Double) Numbers.parse(Float.toString(narrow))).isEqualTo(expectedNarrow);
  }

  @Property(tries = 3000)
  void roundsLikeJava(
      @ForAll long digits,
      @ForAll @IntRange(min = 0, max = 18) int places,
      @ForAll @IntRange(min = -30, max = 30) int exponent) {
    String text = Long.toString(digits);
    int at = Math.max(text.startsWith("-") ? 1 : 0, text.length() - places);
    String number = text.substring(0, at) + "." + text.substring(at) + "e" + exponent;
    assertThat(Numbers.parse(number)).as(number).isEqualTo(Double.parseDouble(number));
  }

  @Test
  void acceptsTheFormsThatFilesHave() {
    assertThat(Numbers.parse("+1.50")).isEqualTo(1.5);
    assertThat(Numbers.parse(".5")).isEqualTo(0.5);
    assertThat(Numbers.parse("5.")).isEqualTo(5);
    assertThat(Numbers.parse(" 1E-3 ")).isEqualTo(0.001);
    assertThat(Numbers.parse("-0")).isEqualTo(-0.0);
    assertThat(Numbers.parse("12345678901234567890123")).isEqualTo(12345678901234567890123d);
    byte[] comma = "3,25".getBytes(StandardCharsets.US_ASCII);
    assertThat(Numbers.parse(comma, 0, 4, (byte) ',')).isEqualTo(3.25);
    byte[] many = "1234567890123456789,5".getBytes(StandardCharsets.US_ASCII);
    assertThat(Numbers.parse(many, 0, many.length, (byte) ',')).isEqualTo(1234567890123456789.5);
  }

  @Test
  void refusesWhatIsNoFiniteNumber() {
    for (String text :
        new String[] {
          "",
          "-",
          ".",
          "e5",
          "1e",
          "1e+",
          "1.2.3",
          "12a",
          "0x10",
          "NaN",
          "Infinity",
          "1e999",
          "1d",
          "1f",
          "--1",
          "1 2",
          "1,5"
        }) {
      assertThat(Numbers.parse(text)).as(text).isNaN();
    }
    assertThat(Numbers.parse("9".repeat(1000))).isNaN();
  }

  @Property(tries = 2000)
  void neverThrows(@ForAll byte[] bytes) {
    double value = Numbers.parse(bytes, 0, bytes.length, (byte) '.');
    if (!Double.isNaN(value)) {
      String text = new String(bytes, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
      assertThat(value).isEqualTo(Double.parseDouble(text));
    }
  }
}
