package dev.crema.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.op.Linear;
import dev.crema.pass.QuantizationScheme;
import org.junit.jupiter.api.Test;

class QuantizedTrialTest {
  private static Application linear(long in, long units) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(in));
    Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(in, units));
    return graph.apply(new Linear(), x, w, null);
  }

  @Test
  void anAnswerIsKept() {
    for (CpuDevice device : CpuDevice.levels()) {
      for (int capacity : new int[] {1, 16}) {
        QuantizedTrial trial = new QuantizedTrial(device, capacity, 1);
        for (QuantizationScheme scheme :
            new QuantizationScheme[] {
              QuantizationScheme.DYNAMIC,
              QuantizationScheme.weightOnly(4, 32),
              QuantizationScheme.FP8
            }) {
          boolean first = trial.pays(linear(100, 60), scheme);
          for (int i = 0; i < 20; i++) {
            assertThat(trial.pays(linear(100, 60), scheme)).isEqualTo(first);
          }
        }
      }
    }
  }

  /** Scalar products of nibbles cost more than the multiplications themselves. */
  @Test
  void whatIsSlowerIsNotChosen() {
    CpuDevice scalar = CpuDevice.levels().get(0);
    QuantizedTrial trial = new QuantizedTrial(scalar, 1, 1);
    assertThat(trial.pays(linear(8, 8), QuantizationScheme.DYNAMIC)).isFalse();
  }
}
