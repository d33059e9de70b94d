package dev.crema.eval.drift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class DriftTest {
  @Test
  void stabilityIndexOfATextbookExample() {
    // Parts 0.5, 0.3, 0.2 and 0.4, 0.3, 0.3; so many that half a count more changes nothing.
    long[] expected = {50_000_000, 30_000_000, 20_000_000};
    long[] actual = {40_000_000, 30_000_000, 30_000_000};
    double byHand = -0.1 * Math.log(0.4 / 0.5) + 0.1 * Math.log(0.3 / 0.2);
    assertThat(Drift.stabilityIndex(expected, actual)).isCloseTo(byHand, within(1e-7));
  }

  @Test
  void jensenShannonOfATextbookExample() {
    // P = (1, 0), Q = (½, ½): half of log2(4/3), and half of ½·log2(2/3) + ½·log2(2).
    double log2 = Math.log(2);
    double byHand = 0.5 * Math.log(4 / 3.0) / log2 + 0.5 * (0.5 * Math.log(2 / 3.0) / log2 + 0.5);
    assertThat(Drift.jensenShannon(new long[] {10, 0}, new long[] {4, 4}))
        .isCloseTo(byHand, within(1e-15));
  }

  @Test
  void distributionsThatShareNoBinAreOneBitApart() {
    assertThat(Drift.jensenShannon(new long[] {3, 0, 9}, new long[] {0, 5, 0})).isEqualTo(1);
    assertThat(Drift.stabilityIndex(new long[] {3, 0, 9}, new long[] {0, 5, 0})).isFinite();
  }

  @Test
  void nothingCountedIsNotANumber() {
    assertThat(Drift.stabilityIndex(new long[3], new long[] {1, 2, 3})).isNaN();
    assertThat(Drift.jensenShannon(new long[] {1, 2, 3}, new long[3])).isNaN();
  }

  @Test
  void histogramsOfOtherBinsAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Drift.jensenShannon(new long[3], new long[4]))
        .withMessageContaining("3 and 4 bins");
  }

  @Property
  void bothAreSymmetricNotNegativeAndAsTheirDefinitionsInDoublePrecision(
      @ForAll @Size(6) List<@LongRange(min = 0, max = 1_000_000) Long> expected,
      @ForAll @Size(6) List<@LongRange(min = 0, max = 1_000_000) Long> actual) {
    long[] p = expected.stream().mapToLong(Long::longValue).toArray();
    long[] q = actual.stream().mapToLong(Long::longValue).toArray();
    double psi = Drift.stabilityIndex(p, q);
    double js = Drift.jensenShannon(p, q);
    if (sum(p) == 0 || sum(q) == 0) {
      assertThat(psi).isNaN();
      assertThat(js).isNaN();
      return;
    }
    assertThat(psi).isGreaterThanOrEqualTo(0).isCloseTo(directPsi(p, q), within(1e-9));
    assertThat(js).isBetween(0.0, 1 + 1e-12).isCloseTo(directJs(p, q), within(1e-9));
    assertThat(Drift.stabilityIndex(q, p)).isCloseTo(psi, within(1e-12));
    assertThat(Drift.jensenShannon(q, p)).isCloseTo(js, within(1e-12));
    assertThat(Drift.jensenShannon(p, p)).isCloseTo(0, within(1e-15));
    assertThat(Drift.stabilityIndex(p, p)).isZero();
  }

  private static double sum(long[] counts) {
    return Arrays.stream(counts).asDoubleStream().sum();
  }

  private static double directPsi(long[] p, long[] q) {
    double index = 0;
    for (int i = 0; i < p.length; i++) {
      double e = (p[i] + 0.5) / (sum(p) + 0.5 * p.length);
      double a = (q[i] + 0.5) / (sum(q) + 0.5 * q.length);
      index += (a - e) * (Math.log(a) - Math.log(e));
    }
    return index;
  }

  /** The entropy of the mean less the mean of the entropies. */
  private static double directJs(long[] p, long[] q) {
    double[] m = new double[p.length];
    double[] a = new double[p.length];
    double[] b = new double[p.length];
    for (int i = 0; i < p.length; i++) {
      a[i] = p[i] / sum(p);
      b[i] = q[i] / sum(q);
      m[i] = (a[i] + b[i]) / 2;
    }
    return entropy(m) - (entropy(a) + entropy(b)) / 2;
  }

  private static double entropy(double[] parts) {
    double bits = 0;
    for (double part : parts) {
      bits -= part == 0 ? 0 : part * Math.log(part) / Math.log(2);
    }
    return bits;
  }
}
