package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link Pad} by reflection or by the edge: every padded element adds to the one it was
 * read from.
 *
 * @param type of the result; its elements are of the type of what it is given
 */
public record PadGrad(Pad pad, TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(type.withElement(in.get(0).requireFloating("gradient").element()));
  }

  @Override
  public void attributes(Attributes a) {
    pad.attributes(a);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(pad)); // linear: the gradient of the gradient is the padding
  }
}
