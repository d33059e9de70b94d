package dev.crema.memory;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class HalfPrecisionTest {
  @Test
  void everyHalfSurvivesTheWayThereAndBack() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      short half = (short) bits;
      float wide = HalfPrecision.fromFloat16(half);
      if (Float.isNaN(wide)) {
        assertThat(HalfPrecision.fromFloat16(HalfPrecision.toFloat16(wide))).isNaN();
      } else {
        assertThat(HalfPrecision.toFloat16(wide)).isEqualTo(half);
      }
      float brain = HalfPrecision.fromBfloat16(half);
      if (Float.isNaN(brain)) {
        assertThat(HalfPrecision.fromBfloat16(HalfPrecision.toBfloat16(brain))).isNaN();
      } else {
        assertThat(HalfPrecision.toBfloat16(brain)).isEqualTo(half);
      }
    }
  }

  @Test
  void knownValues() {
    assertThat(HalfPrecision.toFloat16(1)).isEqualTo((short) 0x3c00);
    assertThat(HalfPrecision.toFloat16(-2)).isEqualTo((short) 0xc000);
    assertThat(HalfPrecision.toFloat16(65504)).isEqualTo((short) 0x7bff);
    assertThat(HalfPrecision.toFloat16(65519.99f)).isEqualTo((short) 0x7bff);
    assertThat(HalfPrecision.toFloat16(65520)).isEqualTo((short) 0x7c00);
    assertThat(HalfPrecision.toFloat16(0x1p-24f)).isEqualTo((short) 1);
    assertThat(HalfPrecision.toFloat16(0x1p-25f)).as("tie to even").isZero();
    assertThat(HalfPrecision.toFloat16(Math.nextUp(0x1p-25f))).isEqualTo((short) 1);
    assertThat(HalfPrecision.toBfloat16(1)).isEqualTo((short) 0x3f80);
    assertThat(HalfPrecision.toBfloat16(Float.MAX_VALUE)).isEqualTo((short) 0x7f80);
    assertThat(
            HalfPrecision.fromBfloat16(HalfPrecision.toBfloat16(Float.intBitsToFloat(0x7f800001))))
        .isNaN();
  }

  @Property(tries = 5000)
  void roundsToTheNearestTiesToEven(@ForAll int bits) {
    float value = Float.intBitsToFloat(bits);
    if (Float.isNaN(value)) {
      return;
    }
    assertNearest(value, HalfPrecision.toBfloat16(value), HalfPrecision::fromBfloat16);
    assertNearest(
        value % 70000f, HalfPrecision.toFloat16(value % 70000f), HalfPrecision::fromFloat16);
  }

  private interface Widen {
    float widen(short bits);
  }

  private static void assertNearest(float value, short got, Widen format) {
    float wide = format.widen(got);
    if (Float.isInfinite(wide) || Float.isNaN(value)) {
      return;
    }
    double error = Math.abs((double) wide - value);
    for (int step : new int[] {-1, 1}) {
      short neighbour = (short) (got + step);
      float other = format.widen(neighbour);
      if (Float.isNaN(other) || Float.isInfinite(other)) {
        continue;
      }
      double otherError = Math.abs((double) other - value);
      assertThat(error).isLessThanOrEqualTo(otherError);
      if (error == otherError && other != wide) {
        assertThat(got & 1).as("tie at %s", value).isZero();
      }
    }
  }
}
