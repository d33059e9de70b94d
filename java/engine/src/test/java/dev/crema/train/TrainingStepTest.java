package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.memory.Shape;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import java.util.List;
import org.junit.jupiter.api.Test;

class TrainingStepTest {
  private static List<String> kernels(String model, long[] shape, int accumulate) {
    Dataset data = Datasets.of(new float[2], Shape.of(1), new int[] {0, 1}, List.of("a", "b"));
    try (Model m = Model.of(BuiltIn.topology(model, shape, BuiltIn.Output.CLASSES, 2), 1)) {
      Trainer trainer = Trainer.of(m).accumulate(accumulate);
      try (TrainingStep step = new TrainingStep(trainer, 3, trainer.outputs.heads(data))) {
        return step.plan().instructions().stream().map(Instruction::kernel).toList();
      }
    }
  }

  @Test
  void aGradientIsComputedWhereItIsStored() {
    assertThat(kernels("mlp:8", new long[] {5}, 1)).contains("adam").doesNotContain("assign");
    assertThat(kernels("lenet", new long[] {12, 12, 1}, 1)).doesNotContain("assign");
  }

  @Test
  void gradientsThatAddUpAreStoredAndAdded() {
    // Kernel and bias of two layers, replaced by the first batch and added to by the next.
    assertThat(kernels("mlp:8", new long[] {5}, 2)).filteredOn("assign"::equals).hasSize(8);
  }

  @Test
  void severalLossesAndTheUpdateAreOnePlan() {
    try (Model model = TwoOutputs.model()) {
      Trainer trainer = Trainer.of(model).lossWeights(1, 0.5);
      List<Head> heads = trainer.outputs.heads(TwoOutputs.data());
      try (TrainingStep step = new TrainingStep(trainer, 3, heads)) {
        List<String> kernels =
            step.plan().instructions().stream().map(Instruction::kernel).toList();
        assertThat(kernels).filteredOn("softmax_cross_entropy"::equals).hasSize(1);
        assertThat(kernels).filteredOn("reduce_mean"::equals).hasSize(1);
        assertThat(kernels).filteredOn("adam"::equals).hasSize(1);
      }
    }
  }

  @Test
  void convolutionsApplyTheirActivation() {
    assertThat(kernels("lenet", new long[] {12, 12, 1}, 1))
        .containsSubsequence("conv2d", "max_pool2d", "conv2d", "max_pool2d", "linear")
        .doesNotContainSubsequence("conv2d", "elementwise", "max_pool2d");
  }
}
