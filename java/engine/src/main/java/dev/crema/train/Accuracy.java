package dev.crema.train;

import dev.crema.eval.Scores;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.nn.BuiltIn;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Counts right answers after a step, from the scores that the step leaves behind: the class with
 * the highest score, or labels with a logit above 0 or a probability above 0.5.
 */
final class Accuracy {
  private final FloatBuffer scores;
  private final int answers;
  private final int classes;
  private final float threshold;
  private final boolean sparse;
  private final Map<Buffer, IntBuffer> numbers = new IdentityHashMap<>();
  private final Map<Buffer, FloatBuffer> shares = new IdentityHashMap<>();

  private Accuracy(FloatBuffer scores, int answers, int classes, float threshold, boolean sparse) {
    this.scores = scores;
    this.answers = answers;
    this.classes = classes;
    this.threshold = threshold;
    this.sparse = sparse;
  }

  /** Null where accuracy means nothing: regression. */
  static Accuracy of(Plan plan, Loss.Nodes nodes, TensorType target, BuiltIn.Output answers) {
    if (answers == BuiltIn.Output.VALUES) {
      return null;
    }
    TensorType type = nodes.scores().type();
    int all = Math.toIntExact(type.elements().perExample());
    int classes = answers == BuiltIn.Output.LABELS ? 1 : Math.toIntExact(type.extent(-1));
    return new Accuracy(
        plan.output(nodes.scores()).asFloatBuffer(),
        all / classes,
        classes,
        nodes.kind() == Scores.LOGITS ? 0 : 0.5f,
        target.element() == ElementType.INT32);
  }

  /** Examples that are right; where each has several answers, the share of them that are. */
  double correct(Buffer target, int rows) {
    int right = sparse ? byNumber(target, rows * answers) : byShare(target, rows * answers);
    return (double) right / answers;
  }

  private int byNumber(Buffer target, int count) {
    IntBuffer view = numbers.get(target);
    if (view == null) { // once for each buffer that batches come in
      view = target.borrow(0, Math.toIntExact(target.byteSize())).asIntBuffer();
      numbers.put(target, view);
    }
    int right = 0;
    for (int i = 0; i < count; i++) {
      right += answer(scores, threshold, i) == view.get(i) ? 1 : 0;
    }
    return right;
  }

  private int byShare(Buffer target, int count) {
    FloatBuffer view = shares.get(target);
    if (view == null) {
      view = target.borrow(0, Math.toIntExact(target.byteSize())).asFloatBuffer();
      shares.put(target, view);
    }
    int right = 0;
    for (int i = 0; i < count; i++) {
      right += answer(scores, threshold, i) == answer(view, 0.5f, i) ? 1 : 0;
    }
    return right;
  }

  private int answer(FloatBuffer values, float above, int number) {
    int at = number * classes;
    if (classes == 1) {
      return values.get(at) > above ? 1 : 0;
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
