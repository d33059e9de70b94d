package dev.crema.train;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.op.Array64;
import dev.crema.op.OpCheck;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.ToDoubleBiFunction;

/** Losses against their definition in float64, and their gradients against central differences. */
final class LossCheck {
  // A mean of float32 terms: a few roundings of 2^-24 each; its gradient has one product more.
  static final double FORWARD = 4e-6;
  static final double GRADIENT = 4e-5;

  private LossCheck() {}

  static Node of(Loss loss, Op last, Node x, Node target, float... weights) {
    Node output = last == null ? x : x.then(last);
    return loss.build(output, target, weights.length == 0 ? null : weights).loss();
  }

  /** The mean over rows of a function of a row of the model's input to its last op and a target. */
  static void check(
      Loss loss,
      Op last,
      Array64 x,
      Array64 target,
      ElementType element,
      float[] weights,
      ToDoubleBiFunction<double[], double[]> ofRow) {
    OpCheck.graph(in -> of(loss, last, in[0], in[1], weights))
        .batched(x)
        .data(target, element, true)
        .forwardOne(in -> Array64.zeros().map(ignored -> meanOverRows(in[0], in[1], ofRow)))
        .tolerance(FORWARD, GRADIENT)
        .run();
  }

  static double meanOverRows(
      Array64 x, Array64 target, ToDoubleBiFunction<double[], double[]> ofRow) {
    int rows = x.dim(0);
    double sum = 0;
    for (int r = 0; r < rows; r++) {
      sum += ofRow.applyAsDouble(row(x, r), row(target, r));
    }
    return sum / rows;
  }

  static double[] row(Array64 a, int r) {
    int k = a.size() / a.dim(0);
    return Arrays.copyOfRange(a.values(), r * k, (r + 1) * k);
  }

  static Array64 oneHot(long seed, int n, int k) {
    Array64 labels = Array64.integers(seed, k, n);
    Array64 result = Array64.zeros(n, k);
    for (int r = 0; r < n; r++) {
      result.values()[r * k + (int) labels.values()[r]] = 1;
    }
    return result;
  }

  static double mean(double[] x, double[] t, DoubleBinaryOperator f) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += f.applyAsDouble(x[i], t[i]);
    }
    return sum / x.length;
  }

  static double sigmoidLoss(double x, double t) {
    return Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x)));
  }

  static double[] softmax(double[] x) {
    double most = Arrays.stream(x).max().orElseThrow();
    double sum = Arrays.stream(x).map(v -> Math.exp(v - most)).sum();
    return Arrays.stream(x).map(v -> Math.exp(v - most) / sum).toArray();
  }

  /** The loss of one row and its gradient in the row. */
  static float[] lossAndGradient(Loss loss, Op last, float[] x, float[] target) {
    Graph g = new Graph();
    Node in = g.input("x", TensorType.batchOf(x.length));
    Node t = g.input("t", TensorType.batchOf(target.length));
    Node value = of(loss, last, in, t);
    Node gradient = Autodiff.gradients(value, List.of(in)).get(in);
    try (Plan plan = Plan.of(g).outputs(value, gradient).capacity(1).build()) {
      plan.input("x").floats().put(x);
      plan.input("t").floats().put(target);
      plan.run(1);
      float[] result = new float[1 + x.length];
      result[0] = plan.output(value).asFloatBuffer().get(0);
      FloatBuffer view = plan.output(gradient).asFloatBuffer();
      view.get(result, 1, x.length);
      for (int i = 0; i < result.length; i++) {
        result[i] += 0f; // -0 is 0
      }
      return result;
    }
  }
}
