package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import dev.crema.op.Embedding;
import dev.crema.op.Reshape;
import java.util.Arrays;

/** The targets of losses: whether they fit a model's output, and class numbers as floats. */
final class Targets {
  /** Classes of which a one-hot table still is small: 64 MB. */
  private static final int MOST_ONE_HOT = 4096;

  private Targets() {}

  /** Of one class of several: class numbers, or a probability for each class. */
  static TensorType ofClasses(String loss, TensorType output, Dataset.Slot target) {
    long classes = output.rank() < 2 ? 1 : output.extent(-1);
    if (classes < 2) {
      throw new CremaException(
          loss
              + " needs a model with an output for each class, but this one gives "
              + output
              + ". Give its last layer a unit for each class, or use binary_crossentropy.");
    }
    long answers = perExample(output) / classes;
    if (target.type() == ElementType.INT32 && target.width() == answers) {
      return output
          .withElement(ElementType.INT32)
          .withDims(output.dims().subList(0, output.rank() - 1));
    }
    return numbers(loss, output, target, "class numbers (int32) or a probability for each class");
  }

  /** Of labels each by itself: 0 or 1 for each output, or class numbers for a single output. */
  static TensorType ofLabels(String loss, TensorType output, Dataset.Slot target) {
    if (target.type() != ElementType.INT32) {
      return numbers(loss, output, target, "a number in [0, 1] for each output");
    }
    if (perExample(output) != 1 || target.width() != 1) {
      throw new CremaException(
          loss
              + " takes class numbers for a model with one output; this one gives "
              + output
              + " and the data's target is "
              + shown(target)
              + ". Give the last layer one unit, or use categorical_crossentropy.");
    }
    return TensorType.batchOf(ElementType.INT32);
  }

  /** Of a regression: a number for each output. */
  static TensorType ofValues(String loss, TensorType output, Dataset.Slot target) {
    return numbers(loss, output, target, "a number (float32) for each output");
  }

  private static TensorType numbers(
      String loss, TensorType output, Dataset.Slot target, String expected) {
    if (target.type() != ElementType.FLOAT32 || target.width() != perExample(output)) {
      throw new CremaException(
          loss
              + " expects "
              + expected
              + " of a model that gives "
              + output
              + ", but the data's target is "
              + shown(target)
              + ". Choose another loss, or change the model's last layer.");
    }
    return output;
  }

  /** A number for each output. */
  static Dataset.Slot numbers(TensorType output) {
    return slot(ElementType.FLOAT32, output.at(1).dims());
  }

  /** A class number for each row of scores. */
  static Dataset.Slot classNumbers(TensorType output) {
    long[] all = output.at(1).dims();
    return slot(ElementType.INT32, Arrays.copyOf(all, Math.max(1, all.length - 1)));
  }

  private static Dataset.Slot slot(ElementType type, long... batchOfOne) {
    return new Dataset.Slot(
        "target", type, Shape.of(Arrays.copyOfRange(batchOfOne, 1, batchOfOne.length)));
  }

  private static long perExample(TensorType output) {
    return output.elements().perExample();
  }

  private static String shown(Dataset.Slot target) {
    return TensorType.batchOf(target.type(), target.shape().dims()).toString();
  }

  /** Class numbers [n] as targets of 0 or 1 of the output's type; numbers stay as they are. */
  static Node labels(Node target, TensorType output) {
    return target.type().element() == ElementType.INT32
        ? reshaped(lookUp(target, 2, 0, 1), output)
        : target;
  }

  /** Class numbers [...] as one-hot [..., k]; numbers stay as they are. */
  static Node oneHot(String loss, Node target, TensorType output) {
    if (target.type().element() != ElementType.INT32) {
      return target;
    }
    int k = Math.toIntExact(output.extent(-1));
    if (k > MOST_ONE_HOT) {
      throw new CremaException(
          loss
              + " takes class numbers of up to "
              + MOST_ONE_HOT
              + " classes, this model has "
              + k
              + ". Use categorical_crossentropy.");
    }
    float[] identity = new float[k * k];
    for (int c = 0; c < k; c++) {
      identity[c * k + c] = 1;
    }
    return lookUp(target, k, identity);
  }

  private static Node lookUp(Node ids, int rows, float... table) {
    Node rowsOfTable =
        ids.graph().add(new Constant(table, TensorType.of(rows, table.length / rows)));
    return ids.then(new Embedding(), rowsOfTable);
  }

  private static Node reshaped(Node x, TensorType type) {
    return x.type().equals(type) ? x : x.then(new Reshape(type));
  }
}
