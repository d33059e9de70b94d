package dev.crema.train;

import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.IdentityHashMap;
import java.util.Map;

/** Counts right answers after a step, from the scores that the step leaves behind. */
final class Accuracy {
  private final FloatBuffer scores;
  private final int classes;
  private final boolean sparse;
  private final Map<Buffer, IntBuffer> labels = new IdentityHashMap<>();
  private final Map<Buffer, FloatBuffer> oneHot = new IdentityHashMap<>();

  private Accuracy(FloatBuffer scores, int classes, boolean sparse) {
    this.scores = scores;
    this.classes = classes;
    this.sparse = sparse;
  }

  /** Null where accuracy means nothing: regression. */
  static Accuracy of(Plan plan, Node scores, TensorType target, boolean classification) {
    if (!classification) {
      return null;
    }
    int classes = Math.toIntExact(scores.type().elements().perExample());
    boolean sparse = target.element() == ElementType.INT32;
    return new Accuracy(plan.output(scores).asFloatBuffer(), classes, sparse);
  }

  int correct(Buffer target, int rows) {
    return sparse ? sparse(target, rows) : oneHot(target, rows);
  }

  private int sparse(Buffer target, int rows) {
    IntBuffer view = labels.get(target);
    if (view == null) { // once for each buffer that batches come in
      view = target.borrow(0, Math.toIntExact(target.byteSize())).asIntBuffer();
      labels.put(target, view);
    }
    int correct = 0;
    for (int r = 0; r < rows; r++) {
      correct += best(scores, r) == view.get(r) ? 1 : 0;
    }
    return correct;
  }

  private int oneHot(Buffer target, int rows) {
    FloatBuffer view = oneHot.get(target);
    if (view == null) {
      view = target.borrow(0, Math.toIntExact(target.byteSize())).asFloatBuffer();
      oneHot.put(target, view);
    }
    int correct = 0;
    for (int r = 0; r < rows; r++) {
      correct += best(scores, r) == best(view, r) ? 1 : 0;
    }
    return correct;
  }

  /** With one score: whether it is positive (a logit) — the class of a binary model. */
  private int best(FloatBuffer values, int row) {
    int at = row * classes;
    if (classes == 1) {
      return values == scores ? (values.get(at) > 0 ? 1 : 0) : (values.get(at) > 0.5f ? 1 : 0);
    }
    int best = 0;
    for (int c = 1; c < classes; c++) {
      if (values.get(at + c) > values.get(at + best)) {
        best = c;
      }
    }
    return best;
  }
}
