package dev.crema.data;

import dev.crema.CremaException;
import java.util.Iterator;
import java.util.List;

/** Examples from an iterator, checked against the slots they should fill. */
final class ExampleSource implements RowSource {
  private final Iterator<Example> examples;
  private final List<Dataset.Slot> inputs;
  private final int classes;
  private long number;

  /**
   * @param classes number of classes, or 0 where the target isn't a class
   */
  ExampleSource(Iterator<Example> examples, List<Dataset.Slot> inputs, int classes) {
    this.examples = examples;
    this.inputs = inputs;
    this.classes = classes;
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
      copy(example.inputs().get(i), row.inputs[i], inputs.get(i).name());
    }
    copy(example.target(), row.target, Slots.TARGET);
    if (classes > 0 && (example.label() < 0 || example.label() >= classes)) {
      throw new CremaException(
          "Example " + number + " has class " + example.label() + "; there are " + classes);
    }
    row.label = example.label();
    row.hash = Mix.hash(number++);
    return true;
  }

  private void copy(float[] from, float[] to, String slot) {
    if (from.length != to.length) {
      throw wrong("numbers in " + slot, to.length, from.length);
    }
    System.arraycopy(from, 0, to, 0, to.length);
  }

  private CremaException wrong(String what, int expected, int got) {
    return new CremaException(
        "Example " + number + " of the stream: expected " + expected + " " + what + ", got " + got);
  }

  @Override
  public void close() {}
}
