package dev.crema.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SignedTest {
  @ParameterizedTest
  @CsvSource({
    "0.25, +0.25",
    "-0.25, -0.25",
    "0, +0.00",
    "-0.0, +0.00",
    "-0.004, +0.00",
    "-0.006, -0.01",
    "-10, -10.00",
    "NaN, NaN",
    "-Infinity, -Infinity"
  })
  void nothingIsNeverNegative(double change, String text) {
    assertThat(Signed.of(change, 2)).isEqualTo(text);
  }
}
