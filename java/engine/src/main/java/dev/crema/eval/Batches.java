package dev.crema.eval;

import dev.crema.CremaException;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.List;

/** Checks of a batch before any of it counts. Buffers are read from their positions. */
final class Batches {
  // Probabilities computed in bfloat16 or int8 may end a little beside [0, 1].
  private static final float ROUNDING = 1e-2f;

  private Batches() {}

  static void requireElements(String what, int remaining, int rows, int columns) {
    if (rows < 0 || (long) rows * columns > remaining) {
      throw new IllegalArgumentException(
          "Metrics: expected %s of shape [%s, %s], which are %s numbers, got %s."
              .formatted(what, rows, columns, (long) rows * columns, remaining));
    }
  }

  static void requireExactly(String what, int length, int rows, int columns) {
    if ((long) rows * columns != length) {
      throw new IllegalArgumentException(
          "Metrics: expected %s of shape [%s, %s], which are %s numbers, got %s."
              .formatted(what, rows, columns, (long) rows * columns, length));
    }
  }

  static void requireLabels(IntBuffer labels, int rows, List<String> names) {
    for (int r = 0; r < rows; r++) {
      int label = labels.get(labels.position() + r);
      if (label < 0 || label >= names.size()) {
        throw new CremaException(
            ("Metrics: label %s in row %s of the batch is not a class: expected 0 to %s. Were the"
                    + " labels numbered from 0, and has the model an output for each class?")
                .formatted(label, r, names.size() - 1));
      }
    }
  }

  static void requireProbabilities(FloatBuffer scores, int rows, int columns) {
    for (int i = 0; i < rows * columns; i++) {
      float p = scores.get(scores.position() + i);
      if (p < -ROUNDING || p > 1 + ROUNDING) {
        throw new CremaException(
            ("Metrics: expected probabilities, got %s in row %s, column %s of the batch. For a"
                    + " model without softmax or sigmoid at its end set scores(Scores.LOGITS).")
                .formatted(p, i / columns, i % columns));
      }
    }
  }

  /** Class numbers [rows] of one-hot targets [rows, columns], else of targets [rows] of 0 or 1. */
  static IntBuffer labels(FloatBuffer targets, int rows, int columns, boolean oneHot) {
    requireElements("targets", targets.remaining(), rows, columns);
    int[] labels = new int[rows];
    for (int r = 0; r < rows; r++) {
      int base = targets.position() + r * columns;
      if (!oneHot) {
        labels[r] = binary(targets.get(base), r, 0) ? 1 : 0;
        continue;
      }
      for (int c = 0; c < columns; c++) {
        float target = targets.get(base + c);
        if (Float.isNaN(target)) {
          throw new CremaException(
              "Metrics: expected one-hot targets, got NaN in row %s, column %s of the batch."
                  .formatted(r, c));
        }
        labels[r] = target > targets.get(base + labels[r]) ? c : labels[r];
      }
    }
    return IntBuffer.wrap(labels);
  }

  static boolean binary(float target, int row, int column) {
    if (target != 0 && target != 1) {
      throw new CremaException(
          "Metrics: expected targets of 0 or 1, got %s in row %s, column %s of the batch."
              .formatted(target, row, column));
    }
    return target == 1;
  }
}
