package dev.crema.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.op.Conv2d;
import dev.crema.op.Linear;
import dev.crema.op.Window2d;
import dev.crema.pass.NonZeros;
import org.junit.jupiter.api.Test;

class SparseTrialTest {
  private static Application linear(long in, long units) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(in));
    Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(in, units));
    return graph.apply(new Linear(), x, w, null);
  }

  private static Application convolution() {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(3, 5, 20));
    Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(1, 1, 20, 30));
    Node b = graph.variable("b", Storage.PARAMETERS, 600, TensorType.of(30));
    return graph.apply(new Conv2d(Window2d.valid(1, 1)), x, w, b);
  }

  private static int share(long nonZeros, long weights) {
    return SparseTrial.Pattern.of(new NonZeros(nonZeros, nonZeros), weights).share();
  }

  @Test
  void threeQuartersOfTheGroupsMakeBlocks() {
    assertThat(SparseTrial.Pattern.of(new NonZeros(9, 3), 100).grouped()).isTrue();
    assertThat(SparseTrial.Pattern.of(new NonZeros(8, 3), 100).grouped()).isFalse();
  }

  @Test
  void sharesAreRoundedUp() {
    assertThat(share(0, 100)).isZero();
    assertThat(share(1, 1000)).isEqualTo(1);
    assertThat(share(100, 1000)).isEqualTo(4);
    assertThat(share(101, 1000)).isEqualTo(5);
    assertThat(share(1000, 1000)).isEqualTo(SparseTrial.SHARES);
  }

  @Test
  void anAnswerIsKept() {
    for (CpuDevice device : CpuDevice.levels()) {
      for (int capacity : new int[] {1, 8}) {
        SparseTrial trial = new SparseTrial(device, capacity, 1, capacity > 4);
        for (Application product : new Application[] {linear(100, 60), convolution()}) {
          long weights = product.input(1).type().elements().constant();
          for (long groups : new long[] {weights / 10, weights / 40}) {
            NonZeros tenth = new NonZeros(weights / 10, groups);
            boolean first = trial.pays(product, tenth);
            for (int i = 0; i < 20; i++) {
              assertThat(trial.pays(product, tenth)).isEqualTo(first);
            }
          }
        }
      }
    }
  }
}
