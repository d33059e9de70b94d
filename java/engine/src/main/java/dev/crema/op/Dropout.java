package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Sets a random part of the elements to zero and scales the others by 1 / (1 − rate) (Srivastava et
 * al. 2014). Inputs: x of any shape; a counter [4] that holds the seed and the step as bits. Which
 * elements go is a function of the counter, the stream and the element alone.
 *
 * @param rate share that goes, in [0, 1)
 * @param stream tells the dropouts of one model apart
 */
public record Dropout(double rate, int stream) implements Op {
  public Dropout {
    if (!(rate >= 0 && rate < 1)) {
      throw new ShapeException("a dropout rate lies in [0, 1), got " + rate);
    }
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    if (!in.get(1).equals(TensorType.of(4))) {
      throw new ShapeException("the counter must be [4] but is " + in.get(1));
    }
    return List.of(in.get(0).requireFloating("input"));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(stream).floats(rate);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(this, y.input(1)));
  }

  @Override
  public boolean inPlace() {
    return true;
  }
}
