package dev.crema.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class CalibrationTest {
  @Test
  void expectedErrorIsTheMeanGapWeightedByPredictions() {
    var counts = new CalibrationCounts();
    // Bin (0.8667, 0.9333]: confidence 0.9, accuracy 0.5; bin (0.5333, 0.6]: 0.6 and 1.
    counts.add(0.88, true);
    counts.add(0.92, false);
    counts.add(0.59, true);
    counts.add(0.57, true);
    counts.add(0.58, true);
    Calibration calibration = counts.result();
    assertThat(calibration.expectedError()).isCloseTo((2 * 0.4 + 3 * 0.42) / 5, within(1e-12));
    assertThat(calibration.maximumError()).isCloseTo(0.42, within(1e-12));
    assertThat(calibration.count()).isEqualTo(5);
  }

  @Test
  void aBinHoldsItsUpperEdgeAndNotItsLower() {
    var counts = new CalibrationCounts();
    counts.add(0, false);
    counts.add(0.2, true);
    counts.add(Math.nextUp(0.2), true);
    counts.add(1, true);
    Calibration calibration = counts.result();
    assertThat(calibration.bins()).hasSize(15);
    assertThat(calibration.bins().get(0).count()).isEqualTo(1);
    assertThat(calibration.bins().get(2).count()).isEqualTo(1);
    assertThat(calibration.bins().get(3).count()).isEqualTo(1);
    assertThat(calibration.bins().get(14).count()).isEqualTo(1);
    assertThat(calibration.bins().get(14).upper()).isEqualTo(1);
    assertThat(calibration.bins().get(7).accuracy()).isNaN();
  }

  @Test
  void jsonHasNullWhereABinIsEmpty() {
    var counts = new CalibrationCounts();
    counts.add(1, true);
    var json = counts.result().toJson();
    assertThat(json.get("expectedError").asDouble()).isZero();
    assertThat(json.get("bins").get(0).get("accuracy").isNull()).isTrue();
    assertThat(json.get("bins").get(14).get("accuracy").asDouble()).isEqualTo(1);
  }
}
