package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.op.QuantizationParameters;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the ways of calibration that count values make of distributions that are known. */
class CalibrationHistogramTest {
  private static final int COUNT = 100_000;

  private static float[] values(DoubleSupplier next, float... more) {
    float[] values = new float[COUNT];
    for (int i = 0; i < COUNT; i++) {
      values[i] = i < more.length ? more[i] : (float) next.getAsDouble();
    }
    return values;
  }

  private static CalibrationRange range(CalibrationMethod method, float[] values) {
    float low = Float.POSITIVE_INFINITY;
    float high = Float.NEGATIVE_INFINITY;
    for (float v : values) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    CalibrationHistogram histogram = new CalibrationHistogram(low, high);
    for (float v : values) {
      histogram.add(v);
    }
    return histogram.range(method);
  }

  /** Of the values themselves, not of a histogram. */
  private static double meanSquaredError(float[] values, double low, double high) {
    QuantizationParameters q = QuantizationParameters.ofRange((float) low, (float) high);
    double sum = 0;
    for (float v : values) {
      double whole = Math.rint(v / q.scale()) + q.zeroPoint();
      double back = (Math.max(0, Math.min(255, whole)) - q.zeroPoint()) * q.scale();
      sum += (v - back) * (v - back);
    }
    return sum / values.length;
  }

  @Test
  void percentileLeavesOutATenThousandthHalfOfItAtEitherEnd() {
    Random random = new Random(1);
    float[] flat = values(() -> 10 * random.nextDouble());
    CalibrationRange r = range(CalibrationMethod.PERCENTILE, flat);
    double bin = 10.0 / CalibrationHistogram.BINS;
    assertThat(r.low()).isCloseTo(0, within(0.0005 + bin));
    assertThat(r.high()).isCloseTo(10, within(0.0005 + bin));
    // Five of 100,000 values may go at an end, a sixth may not.
    CalibrationRange five = range(CalibrationMethod.PERCENTILE, values(() -> 1, 9, 9, 9, 9, 9, 0));
    assertThat(five.high()).isLessThan(1.01);
    CalibrationRange six =
        range(CalibrationMethod.PERCENTILE, values(() -> 1, 9, 9, 9, 9, 9, 9, 0));
    assertThat(six.high()).isCloseTo(9, within(1e-6));
  }

  @Test
  void theLeastSquaredErrorIsThatOfTheValues() {
    Random random = new Random(2);
    float[] values = values(random::nextGaussian, 40, -35);
    CalibrationRange r = range(CalibrationMethod.MSE, values);
    double found = meanSquaredError(values, r.low(), r.high());
    double least = Double.POSITIVE_INFINITY;
    for (int share = 1; share <= 100; share++) {
      double error = meanSquaredError(values, -35 * share / 100.0, 40 * share / 100.0);
      least = Math.min(least, error);
    }
    // A histogram has the values evenly within its parts.
    assertThat(found).isLessThan(least * 1.02);
    assertThat(found).isLessThan(meanSquaredError(values, -35, 40) * 0.85);
  }

  @Test
  void entropyCutsWhatFewValuesReach() {
    Random random = new Random(3);
    CalibrationRange r =
        range(CalibrationMethod.ENTROPY, values(random::nextGaussian, 100, -100, 100));
    // A hundredth of the range in the steps that a byte has would be 2 or 3 steps.
    assertThat(r.high()).isBetween(3.0, 30.0);
    assertThat(r.low()).isBetween(-30.0, -3.0);
    CalibrationRange flat = range(CalibrationMethod.ENTROPY, values(() -> 5 * random.nextDouble()));
    assertThat(flat.high()).as("of values that are spread evenly").isGreaterThan(4.7);
    assertThat(flat.low()).isCloseTo(0, within(0.01));
  }

  /** Behind ReLU most values are 0, which is exact whatever the range. */
  @Test
  void exactZerosDoNotMoveTheEntropysThreshold() {
    Random random = new Random(4);
    float[] few = values(() -> Math.max(0, random.nextGaussian()));
    Random again = new Random(4);
    float[] many = new float[10 * COUNT];
    System.arraycopy(values(() -> Math.max(0, again.nextGaussian())), 0, many, 0, COUNT);
    CalibrationRange a = range(CalibrationMethod.ENTROPY, few);
    CalibrationRange b = range(CalibrationMethod.ENTROPY, many);
    assertThat(b.high()).isEqualTo(a.high());
  }

  @ParameterizedTest
  @EnumSource(
      value = CalibrationMethod.class,
      names = {"PERCENTILE", "ENTROPY", "MSE"})
  void constantsAreKeptAndRangesKeepNearlyAllValuesWhereverTheyLie(CalibrationMethod method) {
    CalibrationRange constant = range(method, values(() -> 3));
    assertThat(constant.low()).isEqualTo(3);
    assertThat(constant.high()).isEqualTo(3);
    assertThat(range(method, values(() -> 0)).high()).isZero();
    Random random = new Random(5);
    for (double shift : new double[] {-8, -1, 0, 1, 8}) {
      float[] values = values(() -> random.nextGaussian() + shift);
      CalibrationRange r = range(method, values);
      CalibrationRange all = range(CalibrationMethod.MIN_MAX, values);
      assertThat(r.low()).isGreaterThanOrEqualTo(Math.min(0, all.low()));
      assertThat(r.high()).isLessThanOrEqualTo(Math.max(0, all.high() + 1e-6));
      assertThat(r.high()).isGreaterThan(r.low());
      // Not so where entropy cut off what is far from 0 altogether.
      double cut = meanSquaredError(values, r.low(), r.high());
      assertThat(cut).as("%s, shifted by %s", method, shift).isLessThan(0.01);
    }
  }
}
