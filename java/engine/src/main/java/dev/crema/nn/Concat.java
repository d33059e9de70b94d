package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Inputs behind one another along an axis; their other axes are the same.
 *
 * @param axis counted from the batch as 0, or from the last as -1; not the batch; null: -1
 */
public record Concat(Integer axis) implements Layer {
  public Concat {
    axis = axis == null ? -1 : axis;
    if (axis == 0) {
      throw new ShapeException("axis 0 is the batch; examples cannot be joined along it");
    }
  }

  /** Along the last axis. */
  public Concat() {
    this(-1);
  }

  @Override
  public int arity() {
    return -1;
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    TensorType first = inputs.get(0).type();
    int at = axis < 0 ? axis + first.rank() : axis;
    if (at < 1 || at >= first.rank()) {
      throw context.refuse("an axis " + axis + " to join along", inputs.get(0), "Choose another.");
    }
    for (Node x : inputs) {
      TensorType type = x.type();
      if (type.rank() != first.rank() || !type.withDim(at, first.dim(at)).equals(first)) {
        throw context.refuse(
            "inputs that are as " + first + " except in axis " + at,
            x,
            "Bring it to that shape with a layer before it.");
      }
    }
    return inputs.get(0).graph().add(new dev.crema.op.Concat(at), inputs.toArray(new Node[0]));
  }
}
