package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import java.util.Iterator;
import java.util.List;

/** Examples from an iterator, checked against the slots they should fill. */
final class ExampleSource implements RowSource {
  private static final float MOST_EXACT = 1 << 24; // whole numbers up to it are exact as floats

  private final Iterator<Example> examples;
  private final List<Dataset.Slot> inputs;
  private final TargetSlots targets;
  private long number;

  ExampleSource(Iterator<Example> examples, List<Dataset.Slot> inputs, TargetSlots targets) {
    this.examples = examples;
    this.inputs = inputs;
    this.targets = targets;
  }

  @Override
  public boolean next(Row row) {
    if (!examples.hasNext()) {
      return false;
    }
    Example example = examples.next();
    if (example.inputs().size() != inputs.size()) {
      throw wrong("inputs", inputs.size(), example.inputs().size());
    }
    for (int i = 0; i < row.inputs.length; i++) {
      copy(example.inputs().get(i), row.inputs[i], inputs.get(i));
    }
    if (targets.slots().size() > 1) {
      several(example, row);
    } else {
      one(example, row);
    }
    row.hash = Mix.hash(number++);
    return true;
  }

  private void one(Example example, Row row) {
    if (!example.targets().isEmpty()) {
      throw wrong("lists of several targets", 0, example.targets().size());
    }
    if (targets.slots().isEmpty() || row.target.length == 0) {
      size(example.target(), 0, Slots.TARGET);
    } else {
      copy(example.target(), row.target, targets.slots().get(0));
    }
    int classes = targets.onlyClassNames().size();
    if (classes > 0 && (example.label() < 0 || example.label() >= classes)) {
      throw noClass(example.label(), classes, "");
    }
    row.label = example.label();
  }

  private void several(Example example, Row row) {
    if (example.targets().size() != row.targets.length) {
      throw wrong("targets", row.targets.length, example.targets().size());
    }
    for (int i = 0; i < row.targets.length; i++) {
      Dataset.Slot slot = targets.slots().get(i);
      copy(example.targets().get(i), row.targets[i], slot);
      int classes = targets.classNames().get(i).size();
      for (float label : row.targets[i]) {
        if (classes > 0 && (label < 0 || label >= classes)) {
          throw noClass((int) label, classes, " in " + slot.name());
        }
      }
    }
  }

  private void copy(float[] from, float[] to, Dataset.Slot slot) {
    size(from, to.length, slot.name());
    System.arraycopy(from, 0, to, 0, to.length);
    if (slot.type() == ElementType.INT32) {
      for (float value : from) {
        if (value != (int) value || Math.abs(value) > MOST_EXACT) {
          throw new CremaException(
              "Example "
                  + number
                  + " of the stream: expected whole numbers up to 2^24 in "
                  + slot.name()
                  + " (int32), got "
                  + value);
        }
      }
    }
  }

  private void size(float[] given, int expected, String slot) {
    if (given.length != expected) {
      throw wrong("numbers in " + slot, expected, given.length);
    }
  }

  private CremaException noClass(int label, int classes, String where) {
    return new CremaException(
        "Example " + number + " has class " + label + where + "; there are " + classes);
  }

  private CremaException wrong(String what, int expected, int got) {
    return new CremaException(
        "Example " + number + " of the stream: expected " + expected + " " + what + ", got " + got);
  }

  @Override
  public void close() {}
}
