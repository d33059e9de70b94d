package dev.crema.op;

import dev.crema.graph.Dim;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/** Group normalisation (Wu and He 2018), made of other ops. */
public final class GroupNorm {
  private GroupNorm() {}

  /**
   * Normalises each example over all its positions and the channels of one group.
   *
   * @param x [n, ..., c]
   * @param gamma [c], or null
   * @param beta [c], or null
   * @param groups a divisor of c
   * @param epsilon is added to the variance
   */
  public static Node of(Node x, Node gamma, Node beta, int groups, double epsilon) {
    TensorType type = x.type();
    long channels = type.extent(-1);
    if (type.rank() < 2 || groups < 1 || channels % groups != 0) {
      throw new ShapeException(
          "group normalisation: " + groups + " groups do not divide the channels of " + type);
    }
    Dim positions = type.elements(1, type.rank() - 1);
    List<Dim> split = List.of(type.dim(0), positions, Dim.of(groups), Dim.of(channels / groups));
    Node grouped = x.then(new Reshape(type.withDims(split)));
    Node centred = grouped.then(new Sub(), grouped.then(new ReduceMean(List.of(1, 3), true)));
    Node variance = centred.then(new Square()).then(new ReduceMean(List.of(1, 3), true));
    Node inverse = variance.then(new Affine(1, epsilon)).then(new Rsqrt());
    Node y = centred.then(new Mul(), inverse).then(new Reshape(type));
    if (gamma != null) {
      y = y.then(new Mul(), gamma);
    }
    return beta == null ? y : y.then(new Add(), beta);
  }
}
