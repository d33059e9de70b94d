package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * A kernel [..., units] as its int8 form would give it back: in each of its outputs (the last axis)
 * the nearest multiples of a 127th of the largest magnitude there, as {@link PackQuantized} rounds
 * them. 0 stays 0. The gradient passes unchanged: nothing is out of range.
 */
public record FakeQuantizeWeights() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType w = in.get(0).requireElement(ElementType.FLOAT32, "kernel");
    if (w.rank() < 1) {
      throw new ShapeException("a kernel [..., units] is needed, got " + w);
    }
    return List.of(w);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0));
  }
}
