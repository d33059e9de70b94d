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
 * Rows [..., n] read from a table, as their int8 form would give them back: of each row the nearest
 * multiples of a 127th of its largest magnitude, as {@link PackQuantizedTable} rounds them. A row
 * of zeros stays. The gradient passes unchanged: nothing is out of range.
 */
public record FakeQuantizeRows() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.FLOAT32, "rows");
    if (x.rank() < 1) {
      throw new ShapeException("rows [..., n] are needed, got " + x);
    }
    return List.of(x);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0));
  }
}
