package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** To the bit what bytes give back, at every instruction set; gradients by their definition. */
class FakeQuantizeTest {
  private static float[] numbers(int count, float scale) {
    Random random = new Random(count);
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      // Halves of steps, to the bounds and beyond; then anything.
      x[i] = i < 700 ? (i - 350) * 0.5f * scale : (float) random.nextGaussian() * 60 * scale;
    }
    x[0] = Float.NaN;
    x[1] = Float.POSITIVE_INFINITY;
    x[2] = Float.NEGATIVE_INFINITY;
    x[3] = -0f;
    return x;
  }

  @ParameterizedTest
  @CsvSource({"0.5, 0", "0.1, 131", "3.7, 255", "1e-20, 8"})
  void numbersBecomeWhatTheirBytesGiveBackAndGradientsPassWhereTheyAreInRange(
      float scale, int zeroPoint) {
    QuantizationParameters q = new QuantizationParameters(scale, zeroPoint);
    float[] x = numbers(1037, scale);
    Graph graph = new Graph();
    Node in = graph.input("x", TensorType.of(x.length));
    Node weights = graph.input("dy", TensorType.of(x.length));
    Node y = in.then(new FakeQuantize(q));
    Node total = y.then(new Mul(), weights).then(new ReduceSum(List.of(0), false));
    Node dx = Autodiff.gradients(total, List.of(in)).get(in);
    EveryDevice.check(
        device -> {
          try (Plan plan = Plan.of(graph).outputs(y, dx).device(device).build()) {
            plan.input("x").borrow(0, 4 * x.length).asFloatBuffer().put(x);
            for (int i = 0; i < x.length; i++) {
              plan.input("dy").borrow(0, 4 * x.length).asFloatBuffer().put(i, 1 + i);
            }
            plan.run(1);
            for (int i = 0; i < x.length; i++) {
              double whole = Math.rint(x[i] / scale) + zeroPoint;
              double kept = Math.max(0, Math.min(255, whole));
              float expected = (float) (kept - zeroPoint) * scale;
              boolean inRange = whole == kept;
              assertThat(number(plan.output(y).getFloat(4 * i)))
                  .as("%s: %s", device, x[i])
                  .isEqualTo(number(Float.isNaN(x[i]) ? Float.NaN : expected));
              assertThat(plan.output(dx).getFloat(4 * i))
                  .as("%s: gradient at %s", device, x[i])
                  .isEqualTo(inRange ? 1 + i : 0);
            }
          }
        });
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 17", "3, 64", "50, 65", "7, 133", "4, 300"})
  void kernelsBecomeMultiplesOfTheirColumnsSteps(int rows, int units) {
    float[] w = weights(rows, units);
    checkMultiples(w, rows, units, new FakeQuantizeWeights(), i -> rounded(w, i, units));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "17, 1", "1, 64", "65, 50", "133, 7", "300, 4"})
  void rowsOfTablesBecomeMultiplesOfTheirOwnSteps(int rows, int units) {
    float[] columns = weights(units, rows);
    float[] x = new float[columns.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = columns[i % units * rows + i / units]; // the columns are the rows
    }
    if (units > 1) {
      x[0] = 1e-40f; // its row's step would be less than the smallest normal number
    }
    checkMultiples(x, rows, units, new FakeQuantizeRows(), i -> roundedInItsRow(x, i, units));
  }

  private static float[] weights(int rows, int units) {
    Random random = new Random(rows + units);
    float[] w = new float[rows * units];
    for (int i = 0; i < w.length; i++) {
      w[i] = i % 5 == 0 || i % units == 0 ? 0 : (float) random.nextGaussian(); // a column of zeros
    }
    w[w.length - 1] = units > 1 ? Float.NaN : 0.3f;
    return w;
  }

  private static void checkMultiples(
      float[] w, int rows, int units, Op op, IntFunction<Float> expected) {
    Graph graph = new Graph();
    Node in = graph.input("w", TensorType.of(rows, units));
    Node weights = graph.input("dy", TensorType.of(rows, units));
    Node y = in.then(op);
    Node total = y.then(new Mul(), weights).then(new ReduceSum(List.of(0, 1), false));
    Node dx = Autodiff.gradients(total, List.of(in)).get(in);
    EveryDevice.check(
        device -> {
          for (int threads = 1; threads <= 2; threads++) {
            try (Plan plan =
                Plan.of(graph).outputs(y, dx).device(device).threads(threads).build()) {
              plan.input("w").borrow(0, 4 * w.length).asFloatBuffer().put(w);
              for (int i = 0; i < w.length; i++) {
                plan.input("dy").borrow(0, 4 * w.length).asFloatBuffer().put(i, i - 3);
              }
              plan.run(1);
              for (int i = 0; i < w.length; i++) {
                assertThat(number(plan.output(y).getFloat(4 * i)))
                    .as("%s: %d: %s", device, i, w[i])
                    .isEqualTo(number(expected.apply(i)));
                assertThat(plan.output(dx).getFloat(4 * i)).isEqualTo(i - 3);
              }
            }
          }
        });
  }

  /** NaN equals NaN, -0 equals 0. */
  private static Float number(float value) {
    return value + 0f;
  }

  private static float rounded(float[] w, int i, int units) {
    float most = 0;
    for (int k = i % units; k < w.length; k += units) {
      most = Float.isNaN(w[k]) ? most : Math.max(most, Math.abs(w[k]));
    }
    float scale = most == 0 ? 1 : most / 127;
    return Float.isNaN(w[i]) ? Float.NaN : (float) Math.rint(w[i] / scale) * scale;
  }

  private static float roundedInItsRow(float[] x, int i, int units) {
    float most = 0;
    for (int k = i / units * units; k < (i / units + 1) * units; k++) {
      most = Float.isNaN(x[k]) ? most : Math.max(most, Math.abs(x[k]));
    }
    float scale = most == 0 ? 1 : Math.max(most / 127, Float.MIN_NORMAL);
    return Float.isNaN(x[i]) ? Float.NaN : (float) Math.rint(x[i] / scale) * scale;
  }

  @Test
  void whatCannotBeABytesZeroIsRefused() {
    QuantizationParameters signed = new QuantizationParameters(1, -3);
    assertThatThrownBy(() -> new FakeQuantize(signed))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("-3");
    Node scalar = new Graph().input("w", TensorType.of());
    assertThatThrownBy(() -> scalar.then(new FakeQuantizeWeights()))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("[..., units]");
    assertThatThrownBy(() -> scalar.then(new FakeQuantizeRows()))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("[..., n]");
  }
}
