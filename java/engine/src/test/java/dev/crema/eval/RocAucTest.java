package dev.crema.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class RocAucTest {
  @Test
  void tiesCountHalf() {
    boolean[] positive = {false, true, true, false};
    assertThat(RocAuc.of(new float[] {1, 1, 1, 1}, positive)).isEqualTo(0.5);
    // Pairs: (2 > 1), (2 = 2), (3 > 1), (3 > 2): 3.5 of 4.
    assertThat(RocAuc.of(new float[] {1, 2, 3, 2}, positive)).isEqualTo(0.875);
  }

  @Test
  void ordersNegativeZeroAndInfiniteScores() {
    float infinity = Float.POSITIVE_INFINITY;
    assertThat(
            RocAuc.of(
                new float[] {-infinity, -2, -1, 1, infinity},
                new boolean[] {false, false, true, true, true}))
        .isEqualTo(1);
    assertThat(RocAuc.of(new float[] {-0.0f, 0.0f}, new boolean[] {false, true})).isEqualTo(0.5);
  }

  @Test
  void isNotDefinedWithoutBothKinds() {
    assertThat(RocAuc.of(new float[0], new boolean[0])).isNaN();
    assertThat(RocAuc.of(new float[] {1, 2}, new boolean[] {true, true})).isNaN();
    assertThat(RocAuc.of(new float[] {1, 2}, new boolean[2])).isNaN();
  }

  @Test
  void leavesTheScoresAsTheyAre() {
    float[] scores = {3, 1, 2};
    RocAuc.of(scores, new boolean[] {true, false, true});
    assertThat(scores).containsExactly(3, 1, 2);
  }

  @Test
  void aNaNIsRefused() {
    assertThatThrownBy(() -> RocAuc.of(new float[] {1, Float.NaN}, new boolean[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("score 1 is NaN");
    assertThatThrownBy(() -> RocAuc.of(new float[1], new boolean[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 and 1");
  }

  @Test
  void keepsScoresOfManyChunksAndAMergedTail() {
    var log = new ScoreLog(3, 1 << 24);
    var other = new ScoreLog(3, 1 << 24);
    double[] row = new double[3];
    for (int i = 0; i < 20_000; i++) {
      row[1] = i % 1000;
      (i < 12_345 ? log : other).add(row, i % 1000 >= 500 ? 1 : 0);
    }
    log.merge(other);
    other.add(new double[] {0, 5000, 0}, 0);
    assertThat(log.auc(1, 1)).isEqualTo(1);
    assertThat(log.auc(0, 1)).isEqualTo(0.5);
    assertThat(other.auc(1, 1)).isLessThan(1);
  }
}
