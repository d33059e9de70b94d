package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Transposed convolution (Zeiler et al. 2010): the input gradient of the {@link Conv2d} with the
 * same window and kernel. x [n, h, w, in], kernel [kh, kw, out / groups, in], bias [out] or absent
 * → [n, (h − 1) · stride + (kh − 1) · dilation + 1 − top − bottom + outputPadding, ..., out].
 *
 * @param outputHeightPadding rows added at the bottom, to tell apart the heights that the
 *     convolution with a stride maps to one: below the stride
 * @param outputWidthPadding columns added at the right
 */
public record ConvTranspose2d(
    Window2d window,
    int outputHeightPadding,
    int outputWidthPadding,
    int groups,
    FusedActivation activation)
    implements ActivatedOp {
  public ConvTranspose2d {
    ConvTypes.requireGroups(groups);
    requireBelow(outputHeightPadding, window.strideHeight());
    requireBelow(outputWidthPadding, window.strideWidth());
  }

  public ConvTranspose2d(Window2d window) {
    this(window, 0, 0, 1, FusedActivation.NONE);
  }

  private static void requireBelow(int padding, int stride) {
    if (padding < 0 || padding >= stride) {
      throw new ShapeException(
          "output padding must be at least 0 and below the stride "
              + stride
              + " but is "
              + padding);
    }
  }

  @Override
  public ConvTranspose2d withActivation(FusedActivation other) {
    return new ConvTranspose2d(window, outputHeightPadding, outputWidthPadding, groups, other);
  }

  @Override
  public boolean mayLack(int input) {
    return input == 2;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = ConvTypes.image(in.get(0), 4);
    TensorType kernel = ConvTypes.kernel(in.get(1), 4, x);
    ConvTypes.requireSomething(kernel);
    long channels = x.extent(-1);
    if (channels != kernel.extent(-1)) {
      throw new ShapeException(
          "expects " + kernel.extent(-1) + " channels (kernel " + kernel + ") but gets " + x);
    }
    ConvTypes.requireWhole(channels, groups, "input channels");
    long outputs = Math.multiplyExact(kernel.extent(-2), groups);
    ConvTypes.requireBias(in, outputs);
    Window2d w = window;
    long height =
        extent(x.extent(1), kernel.extent(0), w.strideHeight(), w.dilationHeight())
            + ((long) outputHeightPadding - w.top() - w.bottom());
    long width =
        extent(x.extent(2), kernel.extent(1), w.strideWidth(), w.dilationWidth())
            + ((long) outputWidthPadding - w.left() - w.right());
    if (height < 1 || width < 1) {
      throw new ShapeException("padding leaves nothing of the output of " + x + ": use less");
    }
    return List.of(Window2d.image(x, height, width, outputs));
  }

  /** Without padding. */
  private static long extent(long inputs, long taps, int stride, int dilation) {
    long windows = Math.multiplyExact(inputs - 1, stride);
    return Math.addExact(windows, Math.multiplyExact(taps - 1, dilation) + 1);
  }

  @Override
  public void attributes(Attributes a) {
    ConvTypes.attributes(a, window, groups, activation);
  }

  @Override
  public void gradient(Application y, List<Node> flows, Gradients g) {
    Node dy = activation.gradient(y.output(0), flows.get(0));
    Node x = y.input(0);
    Node kernel = y.input(1);
    if (g.needs(x)) {
      g.add(x, dy.then(new Conv2d(window, groups), kernel));
    }
    if (g.needs(kernel)) {
      g.add(kernel, dy.then(new Conv2dWeightGrad(window, groups, kernel.type(), false), x));
    }
    if (y.inputs().size() > 2 && g.needs(y.input(2))) {
      g.add(y.input(2), dy.then(new ReduceSum(List.of(0, 1, 2), false)));
    }
  }
}
