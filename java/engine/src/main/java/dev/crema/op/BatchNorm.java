package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Batch normalisation as in training (Ioffe and Szegedy 2015), over all axes but the last. Inputs:
 * x [..., c]; gamma [c] and beta [c], both optional; running mean [c] and variance [c], which it
 * moves to the batch's: running = (1 − momentum) · running + momentum · batch, with the unbiased
 * variance (as PyTorch). Outputs: y [..., c], mean [c], 1 / deviation [c]. An empty batch moves
 * nothing. x and y may be of a 16-bit type; all else is float32.
 *
 * @param epsilon is added to the variance
 * @param momentum weight of the new batch, 0.1 for example
 */
public record BatchNorm(double epsilon, double momentum) implements Op {
  @Override
  public boolean mayLack(int input) {
    return input == 1 || input == 2;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = NormTypes.requireFeatures(in.get(0));
    NormTypes.requirePerFeature(x, in.get(1), "gamma");
    NormTypes.requirePerFeature(x, in.get(2), "beta");
    if (in.get(3) == null || in.get(4) == null) {
      throw new ShapeException("batch normalisation needs a running mean and variance");
    }
    NormTypes.requirePerFeature(x, in.get(3), "the running mean");
    NormTypes.requirePerFeature(x, in.get(4), "the running variance");
    return List.of(x, in.get(3), in.get(3));
  }

  @Override
  public void attributes(Attributes a) {
    a.floats(epsilon, momentum);
  }

  @Override
  public int[] writes() {
    return new int[] {3, 4};
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node x = y.input(0);
    if (dy.get(0) != null) {
      Node dx = x.then(new BatchNormGrad(), y.input(1), y.output(1), y.output(2), dy.get(0));
      g.add(x, dx);
      g.add(y.input(1), dx.output(1));
      g.add(y.input(2), dx.output(2));
    }
    TensorType kept = y.output(1).type();
    NormStatistics.gradient(g, x, y.output(1), y.output(2), kept, dy.get(1), dy.get(2));
  }

  /**
   * As in prediction: by given means and variances [c] instead of the batch's. Element-wise ops, so
   * that it fuses with what stands around it.
   *
   * @param gamma [c], or null
   * @param beta [c], or null
   */
  public static Node inference(
      Node x, Node gamma, Node beta, Node mean, Node variance, double epsilon) {
    Node scale = variance.then(new Affine(1, epsilon)).then(new Rsqrt());
    if (gamma != null) {
      scale = scale.then(new Mul(), gamma);
    }
    Node y = x.then(new Sub(), mean).then(new Mul(), scale);
    return beta == null ? y : y.then(new Add(), beta);
  }
}
