package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MatMulTest {
  static Array64 product(Array64 a, Array64 b, boolean ta, boolean tb) {
    int m = a.dim(ta ? 1 : 0);
    int k = a.dim(ta ? 0 : 1);
    int n = b.dim(tb ? 0 : 1);
    Array64 c = Array64.zeros(m, n);
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int p = 0; p < k; p++) {
          sum += a.values()[ta ? p * m + i : i * k + p] * b.values()[tb ? j * k + p : p * n + j];
        }
        c.values()[i * n + j] = sum;
      }
    }
    return c;
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "3, 17, 5", "16, 33, 7", "5, 1, 9", "1, 10, 12", "13, 9, 31", "8, 2, 1"})
  void matchesTheReferenceAndFiniteDifferencesForEveryTransposition(int m, int n, int k) {
    for (int t = 0; t < 4; t++) {
      boolean ta = (t & 1) != 0;
      boolean tb = (t & 2) != 0;
      OpCheck.of(new MatMul(ta, tb))
          .input(ta ? Array64.gaussian(1, k, m) : Array64.gaussian(1, m, k))
          .input(tb ? Array64.gaussian(2, n, k) : Array64.gaussian(2, k, n))
          .forwardOne(in -> product(in[0], in[1], ta, tb))
          .run();
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 512, 100", "33, 130, 700", "150, 70, 513"})
  void bigProductsMatchTheReference(int m, int n, int k) {
    OpCheck.of(new MatMul(false, false))
        .batched(Array64.gaussian(1, m, k))
        .input(Array64.gaussian(2, k, n))
        .forwardOne(in -> product(in[0], in[1], false, false))
        .withoutGradient()
        .tolerance(1e-5, 0) // sums of 700 products in float32
        .run();
  }

  @Test
  void leadingAxesBroadcast() {
    OpCheck.of(new MatMul(false, true))
        .batched(Array64.gaussian(1, 3, 2, 4, 5))
        .input(Array64.gaussian(2, 2, 3, 5))
        .forwardOne(
            in -> {
              Array64 c = Array64.zeros(3, 2, 4, 3);
              for (int p = 0; p < 6; p++) {
                double[] a = java.util.Arrays.copyOfRange(in[0].values(), p * 20, p * 20 + 20);
                int q = p % 2 * 15;
                double[] b = java.util.Arrays.copyOfRange(in[1].values(), q, q + 15);
                Array64 one =
                    product(
                        new Array64(dev.crema.memory.Shape.of(4, 5), a),
                        new Array64(dev.crema.memory.Shape.of(3, 5), b),
                        false,
                        true);
                System.arraycopy(one.values(), 0, c.values(), p * 12, 12);
              }
              return c;
            })
        .run();
  }

  @Test
  void refusesInnerExtentsThatDiffer() {
    Graph g = new Graph();
    assertThatThrownBy(
            () ->
                g.input("a", TensorType.batchOf(3))
                    .then(new MatMul(false, false), g.input("b", TensorType.of(4, 5))))
        .isInstanceOf(ShapeException.class)
        .hasMessage("MatMul: the inner extents of [n, 3] and [4, 5] differ");
  }
}
