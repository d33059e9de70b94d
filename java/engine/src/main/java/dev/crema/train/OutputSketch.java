package dev.crema.train;

import dev.crema.eval.drift.Reference;
import dev.crema.eval.drift.TensorSketch;
import java.nio.FloatBuffer;
import java.util.List;

/** What a model says of its training data: a histogram of classes, or of values. */
final class OutputSketch {
  private final String name;
  private final int width;
  private final List<String> classes;
  private final long[] counts;
  private final TensorSketch values; // null: classes
  private boolean probabilities = true; // until one is seen that is none

  /**
   * @param classes names; empty where it is no classifier
   */
  OutputSketch(String name, int width, List<String> classes, long seed) {
    this.name = name;
    this.width = width;
    boolean fits = classes.size() == width || width == 1 && classes.size() == 2;
    this.classes = fits && classes.size() > 1 ? classes : List.of();
    this.counts = new long[this.classes.size()];
    this.values = this.classes.isEmpty() ? new TensorSketch(name, width, seed) : null;
  }

  void take(FloatBuffer outputs, int rows, boolean count) {
    for (int row = 0; row < rows; row++) {
      int from = row * width;
      if (values != null && count) {
        values.count(at -> outputs.get(from + at));
      } else if (values != null) {
        values.look(at -> outputs.get(from + at));
      } else if (count) {
        counts[tell(outputs, from)]++;
      } else if (width == 1) {
        float value = outputs.get(from);
        probabilities &= value >= 0 && value <= 1;
      }
    }
  }

  /** Of a logit 0 is as likely as not, of a probability a half. */
  private float threshold() {
    return width == 1 && probabilities ? 0.5f : 0;
  }

  private int tell(FloatBuffer outputs, int from) {
    if (width == 1) {
      return outputs.get(from) > threshold() ? 1 : 0;
    }
    int best = 0;
    for (int i = 1; i < width; i++) {
      best = outputs.get(from + i) > outputs.get(from + best) ? i : best;
    }
    return best;
  }

  Reference.Tensor result() {
    return values != null
        ? values.result(null)
        : new Reference.Tensor(
            name, width, List.of(), new Reference.Classes(classes, threshold(), counts));
  }
}
