package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.nn.Topology;

/** The command line reads examples with one input and one target, so its models have one each. */
final class OneOutput {
  private OneOutput() {}

  /**
   * @param model as the user named it
   * @throws CremaException if it has several inputs or outputs
   */
  static void require(Topology topology, String model) {
    if (topology.inputs().size() == 1 && topology.outputs().size() == 1) {
      return;
    }
    throw new CremaException(
        model
            + " has the inputs "
            + topology.inputs().stream().map(Topology.InputSpec::name).toList()
            + " and the outputs "
            + topology.outputs()
            + ", but the command line takes models with one input and one output. Use such a model"
            + " in Java: dev.crema.train.Trainer and Evaluator take data with several inputs and"
            + " targets (Datasets.arrays), dev.crema.nn.Predictor predicts all outputs.");
  }
}
