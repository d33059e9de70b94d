package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Convolution (cross-correlation, as networks use it) of images, channels last: x [n, h, w, in],
 * kernel [kh, kw, in / groups, out], bias [out] or absent, the kernel as {@link PackFilter} stores
 * it (optional) → [n, oh, ow, out], with an activation. Inputs and outputs fall into {@code groups}
 * groups that see nothing of one another; with as many groups as inputs it is depthwise.
 */
public record Conv2d(Window2d window, int groups, FusedActivation activation)
    implements ActivatedOp {
  public Conv2d {
    ConvTypes.requireGroups(groups);
  }

  public Conv2d(Window2d window, int groups) {
    this(window, groups, FusedActivation.NONE);
  }

  public Conv2d(Window2d window) {
    this(window, 1);
  }

  @Override
  public Conv2d withActivation(FusedActivation other) {
    return new Conv2d(window, groups, other);
  }

  @Override
  public boolean mayLack(int input) {
    return input >= 2;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(ConvTypes.forward(in, 4, window, groups));
  }

  /** What packs this convolution's kernel ahead, for images or sequences like x. */
  public PackFilter packing(TensorType x) {
    return PackFilter.of(x, window, groups);
  }

  @Override
  public void attributes(Attributes a) {
    ConvTypes.attributes(a, window, groups, activation);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    ConvTypes.gradient(y, activation.gradient(y.output(0), dy.get(0)), window, groups, g);
  }
}
