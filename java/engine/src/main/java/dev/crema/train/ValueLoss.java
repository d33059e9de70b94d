package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.graph.TensorType;
import dev.crema.nn.BuiltIn;

/** A loss of a regression: a number for each output. */
interface ValueLoss extends Loss {
  @Override
  default BuiltIn.Output answers() {
    return BuiltIn.Output.VALUES;
  }

  @Override
  default TensorType target(TensorType output, Dataset.Slot target) {
    return Targets.ofValues(name(), output, target);
  }
}
