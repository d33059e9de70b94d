package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.op.Transpose;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The axes of an example in another order; the batch stays first.
 *
 * @param axes for each axis of the result the axis of the input that it is, counted from 1: {@code
 *     [2, 1]} swaps the first two
 */
public record Permute(List<Integer> axes) implements Layer {
  public Permute {
    if (axes == null || axes.stream().anyMatch(Objects::isNull)) {
      throw new ShapeException("axes must be an array of whole numbers, got " + axes);
    }
    axes = List.copyOf(axes);
    for (int i = 1; i <= axes.size(); i++) {
      if (!axes.contains(i)) {
        throw new ShapeException(
            "axes must be each of 1 to " + axes.size() + " in some order, got " + axes);
      }
    }
  }

  public static Permute of(int... axes) {
    return new Permute(Arrays.stream(axes).boxed().toList());
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = inputs.get(0);
    if (x.type().rank() != axes.size() + 1) {
      throw context.refuse(
          "examples of " + axes.size() + " axes", x, "Name each axis of an example once.");
    }
    List<Integer> all = new ArrayList<>(axes);
    all.add(0, 0);
    return x.then(new Transpose(all));
  }
}
