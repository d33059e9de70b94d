package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Conv2d;
import dev.crema.op.FusedActivation;
import dev.crema.op.Window2d;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bias and the activation of a convolution: cuDNN's epilogue where it has one. */
class EpilogueTest {
  @BeforeEach
  void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
  }

  @ParameterizedTest
  @CsvSource({
    "NONE, true, true",
    "RELU, true, true",
    "TANH, true, false",
    "RELU, false, false",
    "NONE, false, false"
  })
  void theyAreAppliedWhileTheResultIsWrittenOrByALaunchAfterIt(
      FusedActivation activation, boolean biased, boolean fused) {
    float[] once = run(activation, biased, false, fused);
    float[] refused = run(activation, biased, true, false);
    assertThat(once).hasSize(2 * 4 * 5 * 3).isNotEqualTo(new float[once.length]);
    // A sum and its bias, rounded to float32 once or twice.
    assertThat(once).containsExactly(refused, within(2e-6f));
  }

  private static float[] run(
      FusedActivation activation, boolean biased, boolean refuses, boolean fused) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.of(2, 4, 5, 2));
    Node kernel = graph.input("kernel", TensorType.of(3, 3, 2, 3));
    Node bias = biased ? graph.input("bias", TensorType.of(3)) : null;
    Window2d same = Window2d.valid(1, 1).padded(1, 1, 1, 1);
    Node y = x.then(new Conv2d(same, 1, activation), kernel, bias);
    try (EmulatedCard card = new EmulatedCard()) {
      if (refuses) {
        card.refuseEpilogues();
      }
      try (Plan plan = Plan.of(graph).outputs(y).device(card.device()).build()) {
        for (String name : plan.inputs()) {
          int bytes = (int) plan.input(name).byteSize();
          FloatBuffer floats = plan.input(name).borrow(0, bytes).asFloatBuffer();
          for (int i = 0; floats.hasRemaining(); i++) {
            floats.put((i * 29 % 31 - 15) / 16f);
          }
          plan.input(name).changed();
        }
        plan.run(1);
        plan.run(1); // recorded
        boolean follows = biased || activation != FusedActivation.NONE;
        assertThat(card.calls("cudnnConvolutionBiasActivationForward") > 0)
            .isEqualTo(biased && activation != FusedActivation.TANH);
        assertThat(card.calls("cuLaunchKernel bias_activation") > 0).isEqualTo(follows && !fused);
        assertThat(card.calls("cudnnConvolutionForward") > 0).isEqualTo(!fused);
        float[] values = new float[plan.output(y).asFloatBuffer().remaining()];
        plan.output(y).asFloatBuffer().get(values);
        return values;
      }
    }
  }
}
