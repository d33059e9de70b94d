package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.graph.TensorType;
import dev.crema.nn.BuiltIn;

/** A loss of one class of several: class numbers, or a probability for each class. */
interface ClassLoss extends Loss {
  @Override
  default BuiltIn.Output answers() {
    return BuiltIn.Output.CLASSES;
  }

  @Override
  default TensorType target(TensorType output, Dataset.Slot target) {
    return Targets.ofClasses(name(), output, target);
  }
}
