package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/** The rules that the convolutions share. */
final class ConvTypes {
  private ConvTypes() {}

  static void requireGroups(int groups) {
    if (groups < 1) {
      throw new ShapeException("groups must be at least 1 but are " + groups);
    }
  }

  /** The output of a convolution of images (rank 4) or sequences (rank 3). */
  static TensorType forward(List<TensorType> in, int rank, Window2d window, int groups) {
    TensorType x = image(in.get(0), rank);
    TensorType kernel = kernel(in.get(1), rank, x);
    long channels = x.extent(-1);
    long outputs = kernel.extent(-1);
    requireSomething(kernel);
    if (channels != Math.multiplyExact(kernel.extent(-2), groups)) {
      throw new ShapeException(
          "expects "
              + kernel.extent(-2) * groups
              + " channels (kernel "
              + kernel
              + (groups == 1 ? "" : ", " + groups + " groups")
              + ") but gets "
              + x);
    }
    requireWhole(outputs, groups, "output channels");
    requireBias(in, outputs);
    if (in.size() > 3 && in.get(3) != null) {
      PackFilter.requirePacked(in.get(3), kernel, window, groups);
    }
    return window.over(x, taps(kernel), kernel.extent(-3), outputs);
  }

  static void requireSomething(TensorType kernel) {
    if (kernel.elements().equals(Dim.of(0))) {
      throw new ShapeException("kernel " + kernel + " is empty; every extent must be at least 1");
    }
  }

  /** An image or sequence, in any floating type. */
  static TensorType image(TensorType type, int rank) {
    return type.requireRank(rank, "input").requireFloating("input");
  }

  /** A kernel for x, of its element type. */
  static TensorType kernel(TensorType type, int rank, TensorType x) {
    return type.requireRank(rank, "kernel").requireElement(x.element(), "kernel");
  }

  static void requireWhole(long channels, int groups, String what) {
    if (channels % groups != 0) {
      throw new ShapeException(channels + " " + what + " do not divide into " + groups + " groups");
    }
  }

  static void requireBias(List<TensorType> in, long outputs) {
    TensorType bias = in.size() > 2 ? in.get(2) : null;
    TensorType expected = TensorType.of(in.get(0).element(), outputs);
    if (bias != null && !bias.equals(expected)) {
      throw new ShapeException("bias must be " + expected + " but is " + bias);
    }
  }

  /** Rows of a kernel [kh, kw, in, out]; 1 for [k, in, out]. */
  static long taps(TensorType kernel) {
    return kernel.rank() == 4 ? kernel.extent(0) : 1;
  }

  static void attributes(Attributes a, Window2d w, int groups, FusedActivation activation) {
    a.ints(w.strideHeight(), w.strideWidth(), w.dilationHeight(), w.dilationWidth());
    a.ints(w.top(), w.left(), groups, activation.id());
  }

  /**
   * The gradient of a convolution.
   *
   * @param dy gradient in the sums before the activation
   */
  static void gradient(Application y, Node dy, Window2d window, int groups, Gradients g) {
    Node x = y.input(0);
    Node kernel = y.input(1);
    Node bias = y.inputs().size() > 2 ? y.input(2) : null;
    if (g.needs(x)) {
      g.add(x, dy.then(new Conv2dInputGrad(window, groups, x.type()), kernel));
    }
    if (g.needs(kernel) || g.needs(bias)) {
      boolean both = g.needs(bias);
      Application grad =
          dy.graph().apply(new Conv2dWeightGrad(window, groups, kernel.type(), both), x, dy);
      g.add(kernel, grad.output(0));
      if (both) {
        g.add(bias, grad.output(1));
      }
    }
  }
}
