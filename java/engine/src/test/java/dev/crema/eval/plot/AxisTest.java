package dev.crema.eval.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class AxisTest {
  private static final Axis.Scale LINEAR = new Axis.Scale(false, false, null, null);
  private static final Axis.Scale INTEGERS = new Axis.Scale(false, true, null, null);
  private static final Axis.Scale LOG = new Axis.Scale(true, false, null, null);

  private static List<String> labels(double low, double high, Axis.Scale scale) {
    Axis axis = Axis.of(low, high, scale);
    return axis.ticks().stream().map(axis::label).toList();
  }

  @Test
  void ticksAreRoundNumbers() {
    assertThat(labels(0, 1, LINEAR)).containsExactly("0.0", "0.2", "0.4", "0.6", "0.8", "1.0");
    assertThat(labels(0.91, 0.985, LINEAR))
        .containsExactly("0.91", "0.92", "0.93", "0.94", "0.95", "0.96", "0.97", "0.98");
    assertThat(labels(-3, 3, LINEAR)).containsExactly("-3", "-2", "-1", "0", "1", "2", "3");
    assertThat(labels(0, 100_000, LINEAR))
        .containsExactly("0", "20,000", "40,000", "60,000", "80,000", "100,000");
  }

  @Test
  void epochsHaveWholeTicksOnly() {
    assertThat(labels(1, 3, INTEGERS)).containsExactly("1", "2", "3");
    assertThat(labels(1, 10, INTEGERS))
        .containsExactly("1", "2", "3", "4", "5", "6", "7", "8", "9", "10");
    assertThat(labels(1, 1, INTEGERS)).containsExactly("0", "1", "2");
  }

  @Test
  void logarithmicTicksAreDecadesAndForFewDecadesTheirParts() {
    assertThat(labels(1e-4, 10, LOG)).containsExactly("1e-4", "0.001", "0.01", "0.1", "1", "10");
    assertThat(labels(0.09, 1.1, LOG)).containsExactly("0.1", "0.2", "0.5", "1");
    assertThat(labels(1e-12, 1e12, LOG)).hasSizeBetween(4, 9).contains("1e-4", "1e8");
  }

  @Test
  void veryLargeAndVerySmallNumbersAreShort() {
    assertThat(labels(0, 2.5e7, LINEAR))
        .contains("0", "5e6", "2.5e7")
        .allMatch(l -> l.length() < 6);
    assertThat(labels(1e-5, 9e-5, LINEAR)).contains("1e-5", "9e-5");
  }

  @Test
  void aConstantAndNothingAtAllHaveARangeToo() {
    assertThat(Axis.of(5, 5, LINEAR).position(5)).isCloseTo(0.5, within(0.01));
    assertThat(Axis.of(0, 0, LINEAR).ticks()).hasSizeGreaterThan(2);
    Axis empty = Axis.of(Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, LINEAR);
    assertThat(empty.low()).isZero();
    assertThat(Axis.of(Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, LOG).low()).isPositive();
  }

  @Test
  void whatIsNeverNegativeBeginsAtZeroOrAbove() {
    assertThat(Axis.of(0.01, 2, LINEAR).low()).isZero();
    assertThat(Axis.of(-0.01, 2, LINEAR).low()).isLessThan(-0.01);
  }

  @Test
  void aFixedRangeIsKept() {
    Axis axis = Axis.of(0.2, 0.3, new Axis.Scale(false, false, 0.0, 1.0));
    assertThat(axis.low()).isZero();
    assertThat(axis.high()).isEqualTo(1);
  }

  @Property(tries = 500)
  void everyRangeHasSomeTicksInsideAndShowsItsValues(
      @ForAll @DoubleRange(min = -1e300, max = 1e300) double a,
      @ForAll @DoubleRange(min = -1e300, max = 1e300) double b) {
    double low = Math.min(a, b);
    double high = Math.max(a, b);
    for (Axis.Scale scale : List.of(LINEAR, INTEGERS)) {
      Axis axis = Axis.of(low, high, scale);
      assertThat(axis.ticks()).hasSizeBetween(2, 16);
      assertThat(axis.position(low)).isBetween(0.0, 1.0);
      assertThat(axis.position(high)).isBetween(axis.position(low), 1.0);
      for (double tick : axis.ticks()) {
        assertThat(axis.position(tick)).isBetween(-1e-6, 1 + 1e-6);
      }
      assertThat(axis.ticks().stream().map(axis::label)).doesNotHaveDuplicates();
    }
  }

  @Property(tries = 500)
  void everyPositiveRangeHasLogarithmicTicks(
      @ForAll @DoubleRange(min = -299, max = 299) double a,
      @ForAll @DoubleRange(min = -299, max = 299) double b) {
    double low = Math.pow(10, Math.min(a, b));
    double high = Math.pow(10, Math.max(a, b));
    Axis axis = Axis.of(low, high, LOG);
    assertThat(axis.ticks()).hasSizeBetween(2, 16);
    assertThat(axis.position(low)).isBetween(0.0, 1.0);
    assertThat(axis.position(high)).isBetween(axis.position(low), 1.0);
  }
}
