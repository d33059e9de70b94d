package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NormTest {
  private static final double EPSILON = 1e-3;

  @ParameterizedTest
  @CsvSource({"1, 5", "3, 16", "40, 37", "9, 130"})
  void layerNormMatchesTheReferenceAndFiniteDifferences(int rows, int columns) {
    OpCheck.graph(in -> in[0].then(new LayerNorm(EPSILON), in[1], in[2]))
        .batched(Array64.gaussian(1, rows, columns))
        .input(Array64.gaussian(2, columns))
        .input(Array64.gaussian(3, columns))
        .forwardOne(in -> affine(normalised(in[0], columns, true), in[1], in[2]))
        .run();
  }

  @ParameterizedTest
  @CsvSource({"1, 5", "3, 16", "40, 37", "9, 130"})
  void rmsNormMatchesTheReferenceAndFiniteDifferences(int rows, int columns) {
    OpCheck.graph(in -> in[0].then(new RmsNorm(EPSILON), in[1], in[2]))
        .batched(Array64.gaussian(1, rows, columns))
        .input(Array64.gaussian(2, columns))
        .input(Array64.gaussian(3, columns))
        .forwardOne(in -> affine(normalised(in[0], columns, false), in[1], in[2]))
        .run();
  }

  @Test
  void normsWorkWithoutGammaAndBeta() {
    OpCheck.graph(in -> in[0].then(new LayerNorm(EPSILON), null, null))
        .batched(Array64.gaussian(1, 4, 19))
        .forwardOne(in -> normalised(in[0], 19, true))
        .run();
    OpCheck.graph(in -> in[0].then(new RmsNorm(EPSILON), null, null))
        .batched(Array64.gaussian(1, 4, 19))
        .forwardOne(in -> normalised(in[0], 19, false))
        .run();
  }

  @Test
  void layerNormKeepsItsDigitsFarFromZero() {
    OpCheck.graph(in -> in[0].then(new LayerNorm(1e-5), null, null))
        .batched(Array64.gaussian(1, 3, 64).map(v -> (float) (v + 1000)))
        .forwardOne(
            in -> {
              Array64 centred = in[0].map(v -> v - 1000);
              return normalised(centred, 64, true, 1e-5);
            })
        .tolerance(2e-4, 1)
        .withoutGradient()
        .run();
  }

  @ParameterizedTest
  @CsvSource({"2, 3, 4, 2", "1, 5, 6, 3", "3, 1, 20, 1"})
  void groupNormMatchesTheReferenceAndFiniteDifferences(
      int n, int positions, int channels, int groups) {
    OpCheck.graph(in -> GroupNorm.of(in[0], in[1], in[2], groups, EPSILON))
        .batched(Array64.gaussian(1, n, positions, channels))
        .input(Array64.gaussian(2, channels))
        .input(Array64.gaussian(3, channels))
        .forwardOne(in -> affine(grouped(in[0], groups), in[1], in[2]))
        .run();
  }

  @ParameterizedTest
  @CsvSource({"2, 3", "7, 16", "700, 13", "40, 600"})
  void batchNormMatchesTheReferenceAndMovesItsRunningStatistics(int rows, int columns) {
    Array64 x = Array64.gaussian(1, rows, columns).map(v -> (float) (3 * v + 5));
    Array64 gamma = Array64.gaussian(2, columns);
    Array64 beta = Array64.gaussian(3, columns);
    double[] mean = new double[columns];
    double[] variance = new double[columns];
    for (int i = 0; i < x.size(); i++) {
      mean[i % columns] += x.values()[i] / rows;
    }
    for (int i = 0; i < x.size(); i++) {
      variance[i % columns] += Math.pow(x.values()[i] - mean[i % columns], 2) / rows;
    }
    EveryDevice.check(
        device -> {
          Graph graph = new Graph();
          Node in = graph.input("x", TensorType.batchOf(columns));
          Node g = graph.input("gamma", TensorType.of(columns));
          Node b = graph.input("beta", TensorType.of(columns));
          Node m = graph.variable("mean", Storage.STATE, 0, TensorType.of(columns));
          Node v = graph.variable("variance", Storage.STATE, columns, TensorType.of(columns));
          Node y = in.then(new BatchNorm(EPSILON, 0.1), g, b, m, v);
          try (Buffer state = Buffer.allocate(8L * columns);
              Plan plan =
                  Plan.of(graph)
                      .outputs(y)
                      .capacity(rows + 2)
                      .device(device)
                      .storage(Storage.STATE, state)
                      .build()) {
            FloatBuffer start = state.borrow(0, 8 * columns).asFloatBuffer();
            for (int i = 0; i < columns; i++) {
              start.put(i, 2).put(columns + i, 1);
            }
            state.changed();
            OpCheck.fill(plan.input("x"), x, ElementType.FLOAT32);
            OpCheck.fill(plan.input("gamma"), gamma, ElementType.FLOAT32);
            OpCheck.fill(plan.input("beta"), beta, ElementType.FLOAT32);
            plan.run(rows);
            FloatBuffer out = plan.output(y).asFloatBuffer();
            for (int i = 0; i < x.size(); i++) {
              int k = i % columns;
              double hat = (x.values()[i] - mean[k]) / Math.sqrt(variance[k] + EPSILON);
              assertThat((double) out.get(i))
                  .as(device + " element " + i)
                  .isCloseTo(
                      hat * gamma.values()[k] + beta.values()[k],
                      org.assertj.core.data.Offset.offset(2e-5));
            }
            FloatBuffer running = state.borrow(0, 8 * columns).asFloatBuffer();
            for (int k = 0; k < columns; k++) {
              double unbiased = variance[k] * rows / (rows - 1);
              assertThat((double) running.get(k))
                  .isCloseTo(1.8 + 0.1 * mean[k], org.assertj.core.data.Offset.offset(1e-5));
              assertThat((double) running.get(columns + k))
                  .isCloseTo(0.9 + 0.1 * unbiased, org.assertj.core.data.Offset.offset(1e-5));
            }
            float before = running.get(0);
            plan.run(0);
            assertThat(state.borrow(0, 4).getFloat(0))
                .as("an empty batch moves nothing")
                .isEqualTo(before);
          }
        });
  }

  @ParameterizedTest
  @CsvSource({"2, 3", "7, 16", "300, 33", "40, 600"})
  void theGradientOfBatchNormMatchesItsDefinition(int rows, int columns) {
    OpCheck.of(new BatchNormGrad())
        .batched(Array64.gaussian(1, rows, columns))
        .input(Array64.gaussian(2, columns))
        .input(Array64.gaussian(3, columns))
        .input(Array64.uniform(4, 0.5, 2, columns))
        .batched(Array64.gaussian(5, rows, columns))
        .forward(in -> batchNormGrad(in[0], in[1], in[2], in[3], in[4]))
        .tolerance(5e-6, 1)
        .withoutGradient()
        .run();
  }

  private static Array64[] batchNormGrad(
      Array64 x, Array64 gamma, Array64 mean, Array64 inverse, Array64 dy) {
    int columns = x.dim(1);
    int rows = x.dim(0);
    Array64 dx = Array64.zeros(rows, columns);
    Array64 dgamma = Array64.zeros(columns);
    Array64 dbeta = Array64.zeros(columns);
    for (int i = 0; i < x.size(); i++) {
      int k = i % columns;
      double hat = (x.values()[i] - mean.values()[k]) * inverse.values()[k];
      dgamma.values()[k] += dy.values()[i] * hat;
      dbeta.values()[k] += dy.values()[i];
    }
    for (int i = 0; i < x.size(); i++) {
      int k = i % columns;
      double hat = (x.values()[i] - mean.values()[k]) * inverse.values()[k];
      double inner = dy.values()[i] - dbeta.values()[k] / rows - hat * dgamma.values()[k] / rows;
      dx.values()[i] = gamma.values()[k] * inverse.values()[k] * inner;
    }
    return new Array64[] {dx, dgamma, dbeta};
  }

  /** Mean and 1 / deviation of [rows, columns], over the rows or over the columns. */
  private static Array64[] statistics(Array64 x, boolean overRows, boolean centred) {
    int rows = x.dim(0);
    int columns = x.dim(1);
    int kept = overRows ? columns : rows;
    int n = x.size() / kept;
    Array64 mean = Array64.zeros(kept);
    Array64 inverse = Array64.zeros(kept);
    for (int i = 0; i < x.size() && centred; i++) {
      mean.values()[overRows ? i % columns : i / columns] += x.values()[i] / n;
    }
    for (int i = 0; i < x.size(); i++) {
      int k = overRows ? i % columns : i / columns;
      inverse.values()[k] += Math.pow(x.values()[i] - mean.values()[k], 2) / n;
    }
    return new Array64[] {mean, inverse.map(v -> 1 / Math.sqrt(v + EPSILON))};
  }

  /** The loss may use any of a norm's outputs, its statistics alone too. */
  @ParameterizedTest
  @CsvSource({"1, 5", "4, 19", "40, 37"})
  void theStatisticsOfNormsHaveGradientsByThemselves(int rows, int columns) {
    Array64 x = Array64.gaussian(1, rows, columns);
    OpCheck.outputs(in -> after(in[0].then(new LayerNorm(EPSILON), null, null)))
        .batched(x)
        .forward(in -> statistics(in[0], false, true))
        .run();
    OpCheck.outputs(in -> after(in[0].then(new RmsNorm(EPSILON), null, null)))
        .batched(x)
        .forward(in -> new Array64[] {statistics(in[0], false, false)[1]})
        .run();
    OpCheck.outputs(in -> after(in[0].then(new BatchNorm(EPSILON, 0.1), null, null, in[1], in[2])))
        .batched(x)
        .data(Array64.zeros(columns), ElementType.FLOAT32, false)
        .data(Array64.zeros(columns), ElementType.FLOAT32, false)
        .forward(in -> statistics(in[0], true, true))
        .run();
  }

  @Test
  void theStatisticsOfNormsAddTheirGradientsToThatOfTheNormalised() {
    OpCheck.outputs(in -> all(in[0].then(new LayerNorm(EPSILON), null, null)))
        .batched(Array64.gaussian(1, 5, 23))
        .forward(
            in -> {
              Array64[] statistics = statistics(in[0], false, true);
              return new Array64[] {normalised(in[0], 23, true), statistics[0], statistics[1]};
            })
        .run();
  }

  private static Node[] all(Node first) {
    return first.application().outputs().toArray(new Node[0]);
  }

  /** The outputs after the first one. */
  private static Node[] after(Node first) {
    Node[] all = all(first);
    return Arrays.copyOfRange(all, 1, all.length);
  }

  @Test
  void aGammaOfTheWrongLengthIsRefused() {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(8));
    Node gamma = graph.input("gamma", TensorType.of(7));
    assertThatThrownBy(() -> x.then(new LayerNorm(EPSILON), gamma, null))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("gamma must be [8]")
        .hasMessageContaining("[7]");
  }

  private static Array64 normalised(Array64 x, int columns, boolean centred) {
    return normalised(x, columns, centred, EPSILON);
  }

  private static Array64 normalised(Array64 x, int columns, boolean centred, double epsilon) {
    Array64 y = x.copy();
    for (int from = 0; from < y.size(); from += columns) {
      double mean = 0;
      for (int i = 0; i < columns && centred; i++) {
        mean += x.values()[from + i] / columns;
      }
      double variance = 0;
      for (int i = 0; i < columns; i++) {
        variance += Math.pow(x.values()[from + i] - mean, 2) / columns;
      }
      for (int i = 0; i < columns; i++) {
        y.values()[from + i] = (x.values()[from + i] - mean) / Math.sqrt(variance + epsilon);
      }
    }
    return y;
  }

  private static Array64 grouped(Array64 x, int groups) {
    int channels = x.dim(2);
    int size = channels / groups;
    Array64 y = x.copy();
    for (int n = 0; n < x.dim(0); n++) {
      for (int g = 0; g < groups; g++) {
        Array64 group = Array64.zeros(1, (long) x.dim(1) * size);
        for (int i = 0; i < group.size(); i++) {
          group.values()[i] =
              x.values()[(n * x.dim(1) + i / size) * channels + g * size + i % size];
        }
        Array64 hat = normalised(group, group.size(), true);
        for (int i = 0; i < group.size(); i++) {
          y.values()[(n * x.dim(1) + i / size) * channels + g * size + i % size] = hat.values()[i];
        }
      }
    }
    return y;
  }

  private static Array64 affine(Array64 x, Array64 gamma, Array64 beta) {
    Array64 y = x.copy();
    for (int i = 0; i < y.size(); i++) {
      y.values()[i] =
          y.values()[i] * gamma.values()[i % gamma.size()] + beta.values()[i % gamma.size()];
    }
    return y;
  }
}
