package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.Device;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.graph.Precision;
import dev.crema.memory.Buffer;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Big kernels are updated beside the product that makes their gradients, with the same bits. */
class FusedUpdateTest {
  private static final int ROWS = 7;
  private static final int INPUTS = 600;

  private static Model model() {
    return Model.sequential(INPUTS)
        .dense(512, Activation.RELU)
        .add(Dense.of(512, Activation.RELU).withoutBias())
        .dense(3, Activation.SOFTMAX)
        .build(1);
  }

  private static Trainer trainer(Model model, Optimizer optimizer) {
    return Trainer.of(model)
        .device(Device.cpu())
        .loss(Losses.sparseCategoricalCrossentropy())
        .optimizer(optimizer);
  }

  private static TrainingStep step(Trainer trainer) {
    return new TrainingStep(trainer, ROWS, trainer.outputs.usualHeads());
  }

  static Stream<Optimizer> optimizers() {
    return Stream.of(
        Optimizer.sgd(0.1),
        Optimizer.sgd(0.1, 0.9, true),
        Optimizer.adam(0.01),
        Optimizer.adamW(0.01, 0.02),
        Optimizer.rmsprop(0.01),
        Optimizer.adagrad(0.01),
        Optimizer.lion(0.01, 0.02),
        Optimizer.lamb(0.01, 0.02));
  }

  /** Parameters and moments after some steps; batches that might be added up are not fused. */
  private static List<byte[]> trained(Optimizer optimizer, int threads, int accumulate) {
    try (Model model = model()) {
      Trainer trainer = trainer(model, optimizer).threads(threads).accumulate(accumulate);
      try (TrainingStep step = step(trainer)) {
        Random random = new Random(5);
        String name = step.plan().inputs().iterator().next();
        FloatBuffer x = step.plan().input(name).borrow(0, 4 * ROWS * INPUTS).asFloatBuffer();
        for (int i = 0; i < 3; i++) {
          for (int j = 0; j < x.capacity(); j++) {
            x.put(j, random.nextFloat());
          }
          step.run(i == 1 ? ROWS - 2 : ROWS, 0.01, true);
        }
        List<byte[]> all = new ArrayList<>(List.of(bytes(model.parameters())));
        step.moments().forEach(m -> all.add(bytes(m)));
        return all;
      }
    }
  }

  private static byte[] bytes(Buffer buffer) {
    ByteBuffer view = buffer.borrow(0, (int) buffer.byteSize()).order(ByteOrder.nativeOrder());
    byte[] bytes = new byte[view.remaining()];
    view.get(bytes);
    return bytes;
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void trainsToTheSameBits(Optimizer optimizer) {
    List<byte[]> apart = trained(optimizer, 1, 2);
    for (int threads : new int[] {1, 2}) {
      List<byte[]> beside = trained(optimizer, threads, 1);
      assertThat(beside).hasSameSizeAs(apart);
      for (int i = 0; i < apart.size(); i++) {
        assertThat(Arrays.equals(beside.get(i), apart.get(i))).as("tensor %d", i).isTrue();
      }
    }
  }

  private static List<String> kernels(Trainer trainer) {
    try (TrainingStep step = step(trainer)) {
      return step.plan().instructions().stream().map(Instruction::kernel).toList();
    }
  }

  private static long products(Trainer trainer) {
    return kernels(trainer).stream().filter("mat_mul"::equals).count();
  }

  @Test
  void twoKernelsAreUpdatedBesideTheirProductsAndTheRestTogether() {
    try (Model model = model()) {
      List<String> kernels = kernels(trainer(model, Optimizer.adam(0.01)));
      // Of both inner layers' inputs, and the last kernel's gradient, which is small.
      assertThat(kernels).filteredOn("mat_mul"::equals).hasSize(3);
      // Between and behind the two kernels lie a bias and the last layer.
      assertThat(kernels).filteredOn("adam"::equals).hasSize(4);
      assertThat(kernels.get(kernels.size() - 1)).isEqualTo("adam");
    }
  }

  @Test
  void gradientsThatSomethingElseReadsAreStored() {
    try (Model model = model()) {
      Optimizer adam = Optimizer.adam(0.01);
      assertThat(products(trainer(model, adam))).isEqualTo(3);
      assertThat(products(trainer(model, adam).clipNorm(1))).isEqualTo(5);
      assertThat(products(trainer(model, adam).clipValue(1))).isEqualTo(5);
      assertThat(products(trainer(model, adam).accumulate(2))).isEqualTo(5);
      assertThat(products(trainer(model, adam).precision(Precision.BFLOAT16))).isEqualTo(5);
      assertThat(products(trainer(model, Optimizer.lamb(0.01, 0.02)))).isEqualTo(5);
    }
  }
}
