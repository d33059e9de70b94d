package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.util.List;

/** The usual slots, by the names they have everywhere: "x" in, "y" out. */
final class Slots {
  static final String INPUT = "x";
  static final String TARGET = "y";

  private Slots() {}

  static Dataset.Slot input(Shape shape) {
    return new Dataset.Slot(INPUT, ElementType.FLOAT32, shape);
  }

  static Dataset.Slot classTarget() {
    return new Dataset.Slot(TARGET, ElementType.INT32, Shape.of());
  }

  static Dataset.Slot valueTarget(long width) {
    return new Dataset.Slot(TARGET, ElementType.FLOAT32, Shape.of(width));
  }

  /** Numbers whose names and units are known. */
  static Dataset.Slot valueTarget(List<Dataset.Value> values) {
    return new Dataset.Slot(TARGET, ElementType.FLOAT32, Shape.of(values.size()), values);
  }

  static int floatInput(List<Dataset.Slot> inputs, String name) {
    for (int i = 0; i < inputs.size(); i++) {
      if (inputs.get(i).name().equals(name)) {
        if (inputs.get(i).type() != ElementType.FLOAT32) {
          throw new CremaException(
              "Input " + name + " is " + inputs.get(i).type() + ", not FLOAT32");
        }
        return i;
      }
    }
    throw new CremaException(
        "There is no input named "
            + name
            + "; there are "
            + inputs.stream().map(Dataset.Slot::name).toList());
  }
}
