package dev.crema.train;

import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;

/** What a step leaves behind of one output: its loss, and how many answers are right. */
final class HeadResult {
  private final Head head;
  private final String input;
  private final TensorType type;
  private final FloatBuffer loss;
  private final Accuracy accuracy;
  private Buffer target;

  /**
   * @param loss of the output, unless it is the only one
   */
  HeadResult(Plan plan, Objective.Part part, FloatBuffer loss) {
    this.head = part.head();
    this.input = part.input();
    this.type = part.target();
    this.loss = loss;
    this.accuracy = Accuracy.of(plan, part.nodes(), part.target(), head.loss().answers());
  }

  Head head() {
    return head;
  }

  /** The type of the targets, [n, ...]. */
  TensorType target() {
    return type;
  }

  /** Reads targets from this memory from now on. */
  void bind(Plan plan, Buffer buffer) {
    if (plan.inputs().contains(input)) { // not where a loss term makes nothing of the targets
      plan.bindInput(input, buffer);
    }
    target = buffer;
  }

  /** The mean loss of the last batch, without its weight. */
  float loss() {
    return loss.get(0);
  }

  boolean hasAccuracy() {
    return accuracy != null;
  }

  /** Examples of the last batch that the model has right; of several labels, a share of one. */
  double correct(int rows) {
    return accuracy.correct(target, rows);
  }
}
