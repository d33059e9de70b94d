package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class DropoutTest {
  private static final int N = 100_003;

  private static float[] mask(Device device, int threads, double rate, int stream, long step) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.of(N));
    Node counter = graph.input("counter", TensorType.of(4));
    Node y = x.then(new Dropout(rate, stream), counter);
    Node dx = Autodiff.gradients(y, graph.input("dy", TensorType.of(N)), List.of(x)).get(x);
    try (Plan plan = Plan.of(graph).outputs(y, dx).threads(threads).device(device).build()) {
      float[] ones = new float[N];
      Arrays.fill(ones, 1);
      plan.input("x").borrow(0, 4 * N).asFloatBuffer().put(ones);
      plan.input("dy").borrow(0, 4 * N).asFloatBuffer().put(ones);
      plan.input("counter").borrow(0, 16).putLong(0, 42).putLong(8, step);
      plan.run(1);
      float[] result = new float[N];
      float[] gradient = new float[N];
      plan.output(y).asFloatBuffer().get(result);
      plan.output(dx).asFloatBuffer().get(gradient);
      assertThat(gradient).as("the backward pass draws the same bits").isEqualTo(result);
      return result;
    }
  }

  @Test
  void keepsTheRightShareScaledUpOnEveryDeviceAndAnyNumberOfThreads() {
    float[] reference = mask(CpuDevice.best(), 1, 0.25, 3, 7);
    int kept = 0;
    for (float v : reference) {
      assertThat(v == 0 || Math.abs(v - 1 / 0.75f) < 1e-6).isTrue();
      kept += v == 0 ? 0 : 1;
    }
    // Five standard deviations of a binomial.
    assertThat((double) kept / N).isCloseTo(0.75, within(5 * Math.sqrt(0.75 * 0.25 / N)));
    EveryDevice.check(
        device -> {
          assertThat(mask(device, 2, 0.25, 3, 7)).isEqualTo(reference);
        });
  }

  @Test
  void streamsAndStepsDrawIndependentBits() {
    float[] a = mask(CpuDevice.best(), 1, 0.5, 0, 0);
    for (float[] b :
        List.of(mask(CpuDevice.best(), 1, 0.5, 1, 0), mask(CpuDevice.best(), 1, 0.5, 0, 1))) {
      int same = 0;
      for (int i = 0; i < N; i++) {
        same += a[i] == b[i] ? 1 : 0;
      }
      assertThat((double) same / N).isCloseTo(0.5, within(5 * 0.5 / Math.sqrt(N)));
    }
  }

  @Test
  void withRateZeroEverythingStays() {
    for (float v : mask(CpuDevice.best(), 1, 0, 0, 0)) {
      assertThat(v).isEqualTo(1f);
    }
  }
}
