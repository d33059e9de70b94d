package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Convolution of sequences: x [n, l, in], kernel [k, in / groups, out], bias [out] or absent, the
 * kernel as {@link PackFilter} stores it (optional) → [n, ol, out]. {@link Conv2d} on images of one
 * row, and computed by its kernel.
 *
 * @param left zeros before each sequence
 * @param right zeros behind each sequence
 */
public record Conv1d(
    int stride, int dilation, int left, int right, int groups, FusedActivation activation)
    implements ActivatedOp {
  public Conv1d {
    ConvTypes.requireGroups(groups);
    window(stride, dilation, left, right);
  }

  public Conv1d(int stride, int dilation, int left, int right, int groups) {
    this(stride, dilation, left, right, groups, FusedActivation.NONE);
  }

  private static Window2d window(int stride, int dilation, int left, int right) {
    return new Window2d(1, stride, 1, dilation, 0, 0, left, right);
  }

  private Window2d window() {
    return window(stride, dilation, left, right);
  }

  @Override
  public Conv1d withActivation(FusedActivation other) {
    return new Conv1d(stride, dilation, left, right, groups, other);
  }

  @Override
  public String kernel() {
    return "conv2d";
  }

  @Override
  public boolean mayLack(int input) {
    return input >= 2;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(ConvTypes.forward(in, 3, window(), groups));
  }

  /** What packs this convolution's kernel ahead, for images or sequences like x. */
  public PackFilter packing(TensorType x) {
    return PackFilter.of(x, window(), groups);
  }

  @Override
  public void attributes(Attributes a) {
    ConvTypes.attributes(a, window(), groups, activation);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    ConvTypes.gradient(y, activation.gradient(y.output(0), dy.get(0)), window(), groups, g);
  }
}
