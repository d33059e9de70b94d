package dev.crema.bench.peers;

import java.util.ArrayList;
import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Adam of TensorFlow: its fused update of each variable. That adds epsilon to a root that isn't
 * corrected for the first steps; it is given the epsilon by which that is Kingma and Ba's Algorithm
 * 1 (2015), which everyone else here computes.
 */
final class TensorflowAdam {
  private static final float BETA_1 = 0.9f;
  private static final float BETA_2 = 0.999f;

  private TensorflowAdam() {}

  /**
   * Has every run update the variables, once all gradients are there: an earlier update would
   * change weights that another gradient still reads. Gives the variables after their update.
   */
  static List<Operand<TFloat32>> update(
      TensorflowGraph graph, List<Operand<TFloat32>> variables, List<Output<?>> gradients) {
    Ops tf = graph.ops();
    Operand<TFloat32> rate = tf.constant(0.001f);
    Operand<TFloat32> beta1 = tf.constant(BETA_1);
    Operand<TFloat32> beta2 = tf.constant(BETA_2);
    Operand<TFloat32> power1 = graph.variable(new float[] {BETA_1});
    Operand<TFloat32> power2 = graph.variable(new float[] {BETA_2});
    Operand<TFloat32> correction = tf.math.sqrt(tf.math.sub(tf.constant(1f), power2));
    Operand<TFloat32> epsilon = tf.math.mul(correction, tf.constant(1e-8f));
    Ops after = tf.withControlDependencyOps(gradients.stream().map(Output::op).toList());
    Ops gated = tf.withControlDependencies(after.noOp());
    List<Operand<TFloat32>> updated = new ArrayList<>();
    for (int i = 0; i < variables.size(); i++) {
      Operand<TFloat32> w = variables.get(i);
      Operand<TFloat32> m = tf.variable(tf.zerosLike(w));
      Operand<TFloat32> v = tf.variable(tf.zerosLike(w));
      Operand<TFloat32> g = gradients.get(i).expect(TFloat32.class);
      updated.add(gated.train.applyAdam(w, m, v, power1, power2, rate, beta1, beta2, epsilon, g));
    }
    Ops last = tf.withControlDependencies(new ArrayList<Op>(updated));
    graph.alsoRun(last.assign(power1, last.math.mul(power1, beta1)));
    graph.alsoRun(last.assign(power2, last.math.mul(power2, beta2)));
    return updated;
  }
}
