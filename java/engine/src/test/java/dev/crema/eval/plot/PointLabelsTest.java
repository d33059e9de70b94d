package dev.crema.eval.plot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class PointLabelsTest {
  private static final Panel.Box AREA = new Panel.Box(0, 0, 400, 300);

  private final PointLabels labels = new PointLabels(AREA);

  @Test
  void withoutAnythingInItsWayATextStandsRightOfItsPointAndAbove() {
    assertThat(labels.place(100, 100, 60)).hasValue(new double[] {108, 95});
  }

  /** As of a Pareto front that rises to the right from the point. */
  @Test
  void aTextLeavesALineThatItsPointIsOn() {
    labels.avoidLine(new double[] {50, 100, 300}, new double[] {250, 100, 60});
    Optional<double[]> left = labels.place(100, 100, 60);
    assertThat(left).hasValue(new double[] {32, 95});
    // Another at the same place goes below, where the line is not either.
    assertThat(labels.place(100, 100, 60)).hasValue(new double[] {108, 115});
  }

  @Test
  void aTextLeavesAnotherPoint() {
    labels.avoidPoint(100, 100);
    labels.avoidPoint(130, 90);
    assertThat(labels.place(100, 100, 60)).hasValue(new double[] {32, 95});
  }

  @Test
  void whereLinesAreEverywhereItStandsAllTheSame() {
    for (int y = 0; y < 300; y += 4) {
      labels.avoidLine(new double[] {0, 400}, new double[] {y, y});
    }
    assertThat(labels.place(100, 100, 60)).isPresent();
  }

  @Test
  void aTextThatWouldCoverAnotherOrLeaveThePictureIsLeftOut() {
    for (int i = 0; i < 4; i++) { // right and left of the point, above and below
      assertThat(labels.place(100, 100, 60)).as("place %d", i).isPresent();
    }
    assertThat(labels.place(100, 100, 60)).isEmpty();
    assertThat(labels.place(200, 200, 500)).isEmpty();
    assertThat(labels.place(398, 298, 60))
        .hasValueSatisfying(at -> assertThat(at[0]).isEqualTo(330));
  }
}
