package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.graph.TensorType;
import dev.crema.nn.BuiltIn;

/** A loss of labels each by itself: 0 or 1 for each output. */
interface LabelLoss extends Loss {
  @Override
  default BuiltIn.Output answers() {
    return BuiltIn.Output.LABELS;
  }

  @Override
  default TensorType target(TensorType output, Dataset.Slot target) {
    return Targets.ofLabels(name(), output, target);
  }
}
