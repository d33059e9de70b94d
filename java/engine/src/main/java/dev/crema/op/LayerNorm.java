package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Layer normalisation over the last axis (Ba et al. 2016): (x − mean) / √(variance + ε) · gamma +
 * beta. Inputs: x [..., c], gamma [c] and beta [c], both optional. Outputs: y [..., c], mean [...],
 * 1 / deviation [...]. x and y may be of a 16-bit type; all else is float32.
 *
 * @param epsilon is added to the variance
 */
public record LayerNorm(double epsilon) implements Op {
  @Override
  public boolean mayLack(int input) {
    return input == 1 || input == 2;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = NormTypes.requireFeatures(in.get(0));
    NormTypes.requirePerFeature(x, in.get(1), "gamma");
    NormTypes.requirePerFeature(x, in.get(2), "beta");
    TensorType rows = NormTypes.perRow(x);
    return List.of(x, rows, rows);
  }

  @Override
  public void attributes(Attributes a) {
    a.floats(epsilon);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node x = y.input(0);
    if (dy.get(0) != null) {
      Node dx = x.then(new LayerNormGrad(), y.input(1), y.output(1), y.output(2), dy.get(0));
      g.add(x, dx);
      g.add(y.input(1), dx.output(1));
      g.add(y.input(2), dx.output(2));
    }
    TensorType kept = x.type().withDim(-1, Dim.of(1));
    NormStatistics.gradient(g, x, y.output(1), y.output(2), kept, dy.get(1), dy.get(2));
  }
}
