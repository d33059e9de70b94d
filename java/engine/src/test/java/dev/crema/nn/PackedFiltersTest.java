package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.device.Device;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Graph;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.op.PackFilter;
import dev.crema.op.Window2d;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Predictors pack the filters of convolutions; they predict the bits of plans that do not. */
class PackedFiltersTest {
  private static final int SIDE = 12;
  private static final int CHANNELS = 3;
  private static final int ROWS = 3;
  private static final float[] IMAGES = images(ROWS);

  private static float[] images(int count) {
    Random random = new Random(1);
    float[] x = new float[count * SIDE * SIDE * CHANNELS];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** Winograd's filters, strides, small images with padding, groups, single taps, few outputs. */
  private static Model model() {
    return Model.sequential(SIDE, SIDE, CHANNELS)
        .add(Conv2d.of(24, 3, Activation.RELU).withPadding(Padding.SAME))
        .add(Conv2d.of(40, 3, Activation.RELU).withPadding(Padding.SAME))
        .add(Conv2d.of(36, 5, Activation.RELU).withPadding(Padding.SAME))
        .add(Conv2d.of(40, 3).withPadding(Padding.SAME).withStrides(2).withGroups(2))
        .add(DepthwiseConv2d.of(3).withPadding(Padding.SAME))
        .add(Conv2d.of(20, 1, Activation.TANH))
        .add(Conv2d.of(17, 5).withPadding(Padding.SAME).withStrides(3))
        .add(Conv2d.of(18, 3).withPadding(Padding.SAME))
        .add(Conv2d.of(2, 2))
        .build(5);
  }

  private static Model sequences() {
    return Model.sequential(30, 5)
        .add(Conv1d.of(24, 3, Activation.RELU).withPadding(Padding.SAME))
        .add(Conv1d.of(33, 5).withStrides(2))
        .build(6);
  }

  private static long packings(Predictor predictor) {
    return predictor.plan().instructions().stream()
        .map(Instruction::kernel)
        .filter("pack_filter"::equals)
        .count();
  }

  private static float[] unpacked(Model model, float[] x, int rows, int threads, Device device) {
    ModelGraph built = model.build(new Graph(), false);
    try (Plan plan =
        Plan.of(built.graph())
            .outputs(built.outputs().get(0))
            .capacity(rows)
            .threads(threads)
            .device(device)
            .storage(Storage.PARAMETERS, model.parameters())
            .storage(Storage.STATE, model.state())
            .build()) {
      plan.input(plan.inputs().iterator().next()).floats().put(x);
      plan.run(rows);
      FloatBuffer output = plan.output(built.outputs().get(0)).asFloatBuffer();
      float[] y = new float[output.remaining()];
      output.get(y);
      return y;
    }
  }

  private static void requireSameBits(Model model, float[] x, int rows, int packed) {
    for (Device device : CpuDevice.levels()) {
      for (int threads : new int[] {1, 2, 3}) {
        float[] expected = unpacked(model, x, rows, threads, device);
        try (Predictor predictor = model.predictor(rows, threads, device)) {
          assertThat(packings(predictor)).isEqualTo(packed);
          float[] actual = new float[expected.length];
          predictor.predict(x, actual, rows);
          assertThat(actual).as("%s, %s threads", device, threads).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void everyInstructionSetAndThreadCountPredictsTheBitsOfFiltersAsTheyLie() {
    try (Model model = model()) {
      requireSameBits(model, IMAGES, ROWS, 8); // the depthwise one is not packed
      requireSameBits(model, images(1), 1, 8);
    }
    try (Model model = sequences()) {
      float[] x = new float[2 * 30 * 5];
      System.arraycopy(IMAGES, 0, x, 0, x.length);
      requireSameBits(model, x, 2, 2);
    }
  }

  @Test
  void newValuesShow() {
    try (Model model = model();
        Predictor predictor = model.predictor(ROWS)) {
      float[] before = new float[ROWS * 2];
      float[] after = new float[before.length];
      predictor.predict(IMAGES, before, ROWS);
      float[] kernel = model.get("conv2d_2/kernel");
      for (int i = 0; i < kernel.length; i++) {
        kernel[i] *= -1.5f;
      }
      model.set("conv2d_2/kernel", kernel);
      predictor.predict(IMAGES, after, ROWS);
      assertThat(after).isNotEqualTo(before);
      assertThat(after).isEqualTo(unpacked(model, IMAGES, ROWS, 0, Device.cpu()));
    }
  }

  @Test
  void aFilterOfAnotherSizeIsRefused() {
    Window2d window = Window2d.valid(1, 1);
    TensorType kernel = TensorType.of(3, 3, 8, 20);
    PackFilter op = new PackFilter(window, 1, 9, 9);
    TensorType packed = PackFilter.typeOf(kernel, window, 1);
    assertThat(packed).isEqualTo(TensorType.of(16 * 8 * 32));
    assertThat(op.infer(List.of(packed, kernel))).isEmpty();
    assertThatThrownBy(() -> op.infer(List.of(TensorType.of(7), kernel)))
        .isInstanceOf(ShapeException.class)
        .hasMessageContainingAll("[7]", "4096");
  }
}
