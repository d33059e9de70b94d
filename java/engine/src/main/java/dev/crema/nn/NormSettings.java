package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;

/** What the normalisations share. */
final class NormSettings {
  private static final double EPSILON = 1e-5;

  private NormSettings() {}

  static double epsilon(Double given) {
    double epsilon = given == null ? EPSILON : given;
    if (!(epsilon >= 0 && epsilon < Double.POSITIVE_INFINITY)) {
      throw new ShapeException("epsilon must be a number from 0, got " + epsilon);
    }
    return epsilon;
  }

  static Node features(LayerContext context, Node x) {
    context.floats(x);
    if (x.type().rank() < 2) {
      throw context.refuse("[n, ..., features]", x, "Put a ReshapeTo(1) before it.");
    }
    return x;
  }

  static Node gamma(LayerContext context, boolean wanted, long features) {
    return wanted ? context.parameter("gamma", Initializer.ONES, features) : null;
  }

  static Node beta(LayerContext context, boolean wanted, long features) {
    return wanted ? context.parameter("beta", Initializer.ZEROS, features) : null;
  }
}
