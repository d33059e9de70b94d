package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import java.util.List;

/**
 * In training, sets a random part of the elements to zero and scales up the others (Srivastava et
 * al. 2014); in prediction does nothing. Any shape.
 *
 * @param rate share that goes, in [0, 1)
 */
public record Dropout(double rate) implements Layer {
  public Dropout {
    if (!(rate >= 0 && rate < 1)) {
      throw new ShapeException("rate must lie in [0, 1), got " + rate);
    }
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    int stream = context.nextStream();
    if (!context.training() || rate == 0) {
      return x;
    }
    return x.then(new dev.crema.op.Dropout(rate, stream), context.randomCounter());
  }
}
