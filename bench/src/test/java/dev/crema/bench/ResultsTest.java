package dev.crema.bench;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ResultsTest {
  private final float[] expected = {1, -100, 0.5f};

  @Test
  void roundingIsEqual() {
    assertThatCode(() -> Results.requireEqual(expected, new float[] {1.005f, -100, 0.5f}))
        .doesNotThrowAnyException();
  }

  @Test
  void otherNumbersAreNot() {
    assertThatThrownBy(() -> Results.requireEqual(expected, new float[] {1.02f, -100, 0.5f}))
        .hasMessageContaining("differs");
    assertThatThrownBy(() -> Results.requireEqual(expected, new float[] {1, Float.NaN, 0.5f}))
        .hasMessageContaining("differs");
    assertThatThrownBy(() -> Results.requireEqual(expected, new float[] {1, -100}))
        .hasMessageContaining("2 numbers instead of 3");
  }

  @Test
  void zerosAndNaNAreNoResult() {
    assertThatThrownBy(() -> Results.requireFinite(new float[3])).hasMessageContaining("zeros");
    assertThatThrownBy(() -> Results.requireFinite(new float[] {1, Float.NaN}))
        .hasMessageContaining("not a number");
  }
}
