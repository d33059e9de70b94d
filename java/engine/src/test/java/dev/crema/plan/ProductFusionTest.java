package dev.crema.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Add;
import dev.crema.op.FusedActivation;
import dev.crema.op.Linear;
import dev.crema.op.MatMul;
import dev.crema.op.Mul;
import dev.crema.op.Relu;
import dev.crema.op.Transpose;
import dev.crema.pass.Autodiff;
import dev.crema.pass.Pass;
import dev.crema.pass.Passes;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ProductFusionTest {
  private final Graph graph = new Graph();
  private final Node x = graph.input("x", TensorType.batchOf(9));
  private final Node kernel = graph.input("kernel", TensorType.of(9, 17));
  private final Node second = graph.input("second", TensorType.of(5, 17));
  private final Node bias = graph.input("bias", TensorType.of(17));
  private final Node seed = graph.input("seed", TensorType.batchOf(5));
  private final List<Node> results = new ArrayList<>();

  @Test
  void aNetworkAndItsGradientsStayTheSameWhenFused() {
    Node hidden = x.then(new Linear(), kernel, null).then(new Add(), bias).then(new Relu());
    Node y = hidden.then(new MatMul(false, false), second.then(Transpose.of(1, 0)));
    y = y.then(new Mul(), y).then(new Relu());
    results.add(y);
    results.addAll(Autodiff.gradients(y, seed, List.of(x, kernel, second, bias)).values());
    for (CpuDevice device : CpuDevice.levels()) {
      List<float[]> expected = run(device, List.of(), 13);
      List<float[]> actual = run(device, Passes.standard(), 13);
      for (int i = 0; i < expected.size(); i++) {
        for (int k = 0; k < expected.get(i).length; k++) {
          assertThat(actual.get(i)[k])
              .as("%s, result %d, element %d", device, i, k)
              .isCloseTo(expected.get(i)[k], within(1e-4f));
        }
      }
    }
  }

  @Test
  void aLayerOfAPredictionIsOneInstruction() {
    results.add(x.then(new Linear(), kernel, null).then(new Add(), bias).then(new Relu()));
    try (Plan plan = plan(CpuDevice.best(), Passes.standard())) {
      assertThat(plan.instructions()).hasSize(1);
      assertThat(plan.instructions().get(0).ints()[0]).isEqualTo(FusedActivation.RELU.ordinal());
    }
  }

  private Plan plan(CpuDevice device, List<Pass> passes) {
    Plan.Builder builder = Plan.of(graph).outputs(results.toArray(new Node[0])).capacity(16);
    return builder.device(device).passes(passes).build();
  }

  private List<float[]> run(CpuDevice device, List<Pass> passes, long batch) {
    List<float[]> values = new ArrayList<>();
    try (Plan plan = plan(device, passes)) {
      for (String name : plan.inputs()) {
        Random random = new Random(name.hashCode());
        FloatBuffer floats = plan.input(name).floats();
        while (floats.hasRemaining()) {
          floats.put((float) random.nextGaussian() / 3);
        }
      }
      plan.run(batch);
      for (Node result : results) {
        float[] y = new float[(int) result.type().at(batch).elements()];
        plan.output(result).asFloatBuffer().get(y);
        values.add(y);
      }
    }
    return values;
  }
}
