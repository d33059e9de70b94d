package dev.crema.pass;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.MaxPool2d;
import dev.crema.op.MaxPool2dGrad;
import dev.crema.op.Relu;
import dev.crema.op.ReluGrad;
import dev.crema.op.Window2d;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MaskPooledGradientsTest {
  private final Graph graph = new Graph();
  private final Node pixels = graph.input("pixels", TensorType.batchOf(7, 6, 18));
  private final Node relu = pixels.then(new Relu());

  private Node gradient(int size, int stride) {
    Window2d window = Window2d.valid(stride, stride);
    Node pooled = relu.then(new MaxPool2d(size, size, window));
    Node seed = graph.input("seed", pooled.type());
    return Autodiff.gradients(pooled, seed, List.of(pixels)).get(pixels);
  }

  @Test
  void reluIsTakenOfThePooledValues() {
    Node gradient = gradient(2, 2);
    Computation from = new Computation(graph, Set.of(gradient), a -> 1L);
    Computation now = new MaskPooledGradients().apply(from).result();
    List<Application> live = now.live();
    Application last = live.get(live.size() - 1);
    assertThat(last.op()).isInstanceOf(MaxPool2dGrad.class);
    assertThat(last.input(2).op()).isInstanceOf(ReluGrad.class);
    assertThat(last.input(2).type()).isEqualTo(last.input(1).type());
  }

  @Test
  void aGradientThatIsWantedItselfStays() {
    Node gradient = gradient(2, 2);
    Node ofRelu = gradient.application().input(1);
    Computation from = new Computation(graph, Set.of(gradient, ofRelu), a -> 1L);
    Rewrite rewrite = new MaskPooledGradients().apply(from);
    assertThat(rewrite.map(gradient).op()).isInstanceOf(ReluGrad.class);
    assertThat(rewrite.map(ofRelu).op()).isInstanceOf(MaxPool2dGrad.class);
  }

  /**
   * Windows side by side, overlapping, and with gaps; many pixels are equal, some are no number.
   */
  @ParameterizedTest
  @CsvSource({"2, 2", "3, 2", "2, 3", "3, 1"})
  void noBitChanges(int size, int stride) {
    Node gradient = gradient(size, stride);
    for (CpuDevice device : CpuDevice.levels()) {
      float[] expected = run(device, List.of(), gradient);
      float[] actual = run(device, List.of(new MaskPooledGradients()), gradient);
      assertThat(actual).as("%s", device).containsExactly(expected);
      assertThat(expected).contains(0f).isNotEqualTo(new float[expected.length]);
    }
  }

  private float[] run(CpuDevice device, List<Pass> passes, Node gradient) {
    try (Plan plan =
        Plan.of(graph).outputs(gradient).capacity(5).device(device).passes(passes).build()) {
      Random random = new Random(3);
      FloatBuffer x = plan.input("pixels").floats();
      while (x.hasRemaining()) {
        x.put(x.position() % 61 == 7 ? Float.NaN : random.nextInt(7) - 3);
      }
      FloatBuffer seed = plan.input("seed").floats();
      while (seed.hasRemaining()) {
        seed.put((float) random.nextGaussian());
      }
      plan.run(5);
      float[] result = new float[(int) gradient.type().at(5).elements()];
      plan.output(gradient).asFloatBuffer().get(result);
      return result;
    }
  }
}
