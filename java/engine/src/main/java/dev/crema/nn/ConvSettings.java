package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;

/** The checks that the convolutions share. */
final class ConvSettings {
  private ConvSettings() {}

  static void requirePositive(String setting, int value) {
    if (value < 1) {
      throw new ShapeException(setting + " must be at least 1, got " + value);
    }
  }

  static void requireKernel(Size2d kernel) {
    if (kernel == null) {
      throw new ShapeException("kernel is missing: a number or [height, width]");
    }
  }

  static Initializer grouped(Initializer initializer, int groups) {
    return groups > 1 && initializer instanceof Initializer.VarianceScaling scaling
        ? new Initializer.Grouped(scaling, groups)
        : initializer;
  }

  /** Input channels that each group sees. */
  static long channelsOfGroup(LayerContext context, Node x, int groups, int filters) {
    long channels = x.type().extent(-1);
    if (channels % groups != 0) {
      throw context.refuse(
          "channels that divide into " + groups + " groups",
          x,
          "Choose groups that divide " + channels + ".");
    }
    if (filters % groups != 0) {
      throw new ShapeException(
          context.where()
              + filters
              + " filters do not divide into "
              + groups
              + " groups. Choose groups that divide both "
              + channels
              + " and "
              + filters
              + ".");
    }
    return channels / groups;
  }
}
