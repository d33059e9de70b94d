package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.crema.graph.ShapeException;
import dev.crema.memory.Shape;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class InitializerTest {
  private static float[] fill(Initializer initializer, long seed, long... dims) {
    Shape shape = Shape.of(dims);
    float[] values = new float[(int) shape.elements()];
    initializer.fill(values, shape, new SplittableRandom(seed));
    return values;
  }

  private static double mean(float[] values) {
    double sum = 0;
    for (float v : values) {
      sum += v;
    }
    return sum / values.length;
  }

  private static double variance(float[] values) {
    double mean = mean(values);
    double sum = 0;
    for (float v : values) {
      sum += (v - mean) * (v - mean);
    }
    return sum / values.length;
  }

  private static double greatest(float[] values) {
    double greatest = 0;
    for (float v : values) {
      greatest = Math.max(greatest, Math.abs(v));
    }
    return greatest;
  }

  /** A 3×3 kernel from 40 to 120 channels: fan-in 360, fan-out 1080. */
  static Stream<Arguments> scaled() {
    return Stream.of(
        arguments(Initializer.GLOROT_UNIFORM, 2.0 / 1440),
        arguments(Initializer.GLOROT_NORMAL, 2.0 / 1440),
        arguments(Initializer.HE_UNIFORM, 2.0 / 360),
        arguments(Initializer.HE_NORMAL, 2.0 / 360),
        arguments(Initializer.LECUN_UNIFORM, 1.0 / 360),
        arguments(Initializer.LECUN_NORMAL, 1.0 / 360),
        arguments(Initializer.TORCH_UNIFORM, 1.0 / 3 / 360),
        arguments(new Initializer.VarianceScaling(3, Initializer.Fan.OUT, true), 3.0 / 1080),
        arguments(new Initializer.Normal(0, 0.3), 0.09),
        arguments(new Initializer.Uniform(-0.6, 0.6), 0.12));
  }

  @ParameterizedTest
  @MethodSource("scaled")
  void theVarianceIsThatOfTheFans(Initializer initializer, double variance) {
    float[] values = fill(initializer, 5, 3, 3, 40, 120);
    // 43,200 values: three standard errors of a variance are at most 3 · √(2 / 43200) = 2 %.
    assertThat(variance(values)).isCloseTo(variance, within(0.02 * variance));
    assertThat(mean(values)).isCloseTo(0, within(3 * Math.sqrt(variance / values.length)));
  }

  @Test
  void uniformOnesStayWithinTheirLimitAndCutNormalOnesWithinTwoDeviations() {
    assertThat(greatest(fill(Initializer.TORCH_UNIFORM, 5, 400, 100)))
        .isBetween(0.0499, 0.05 + 1e-9);
    double deviation = Math.sqrt(2.0 / 400) / 0.87962566103423978;
    assertThat(greatest(fill(Initializer.HE_NORMAL, 5, 400, 100)))
        .isBetween(1.99 * deviation, 2 * deviation + 1e-9);
  }

  @Test
  void channelsInGroupsHaveTheFanOutOfTheirGroup() {
    Symbol x = Symbol.input("x", 8, 8, 600);
    try (Model model =
        Model.of(List.of(x), List.of(x.then(DepthwiseConv2d.of(5).withMultiplier(3))), 1)) {
      double fans = (25 + 75) / 2.0;
      assertThat(variance(model.get("depthwise_conv2d_1/kernel")))
          .isCloseTo(1 / fans, within(0.03 / fans));
    }
  }

  @ParameterizedTest
  @CsvSource({"7, 7", "5, 12", "12, 5", "1, 6", "64, 64"})
  void orthogonalRowsOrColumnsAreOrthonormal(int rows, int columns) {
    float[] w = fill(new Initializer.Orthogonal(1.5), 5, rows, columns);
    int vectors = Math.min(rows, columns);
    int length = Math.max(rows, columns);
    boolean byRow = rows <= columns;
    for (int a = 0; a < vectors; a++) {
      for (int b = 0; b <= a; b++) {
        double dot = 0;
        for (int i = 0; i < length; i++) {
          double x = byRow ? w[a * columns + i] : w[i * columns + a];
          double y = byRow ? w[b * columns + i] : w[i * columns + b];
          dot += x * y;
        }
        assertThat(dot).isCloseTo(a == b ? 2.25 : 0, within(1e-6));
      }
    }
  }

  @Test
  void theSeedDecidesTheValues() {
    Topology topology = Model.sequential(20).dense(30).dense(5).topology();
    try (Model one = Model.of(topology, 3);
        Model same = Model.of(topology, 3);
        Model other = Model.of(topology, 4)) {
      assertThat(one.get("dense_1/kernel")).isEqualTo(same.get("dense_1/kernel"));
      assertThat(one.get("dense_2/kernel")).isEqualTo(same.get("dense_2/kernel"));
      assertThat(one.get("dense_1/kernel")).isNotEqualTo(other.get("dense_1/kernel"));
      assertThat(one.get("dense_1/bias")).containsOnly(0);
    }
  }

  @Test
  void aParameterStartsTheSameWhateverComesAfterIt() {
    try (Model one = Model.sequential(20).dense(30).build(3);
        Model longer = Model.sequential(20).dense(30).dense(7).build(3)) {
      assertThat(one.get("dense_1/kernel")).isEqualTo(longer.get("dense_1/kernel"));
    }
  }

  @Test
  void settingsThatMakeNoSenseAreRefused() {
    assertThatThrownBy(() -> new Initializer.VarianceScaling(0, Initializer.Fan.IN, true))
        .isInstanceOf(ShapeException.class)
        .hasMessage("scale must be positive, got 0.0");
    assertThatThrownBy(() -> new Initializer.Normal(Double.NaN, 1))
        .isInstanceOf(ShapeException.class)
        .hasMessage("mean must be a finite number, got NaN");
  }
}
