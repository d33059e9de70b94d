package dev.crema.nn;

import dev.crema.graph.Dim;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.op.Reshape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The same elements with other extents: [n, ...] → [n, shape...]. Moves nothing.
 *
 * @param shape of one example; one extent may be -1, for as many as there are
 */
public record ReshapeTo(List<Long> shape) implements Layer {
  public ReshapeTo {
    if (shape == null || shape.stream().anyMatch(Objects::isNull)) {
      throw new ShapeException("shape must be an array of whole numbers, got " + shape);
    }
    shape = List.copyOf(shape);
    boolean wrong = shape.stream().anyMatch(e -> e < -1 || e == 0);
    if (wrong || shape.stream().filter(e -> e == -1).count() > 1) {
      throw new ShapeException(
          "extents of a shape must be positive and at most one may be -1, got " + shape);
    }
  }

  public static ReshapeTo of(long... shape) {
    return new ReshapeTo(Arrays.stream(shape).boxed().toList());
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = inputs.get(0);
    TensorType type = x.type();
    long given = type.elements(1, type.rank()).constant();
    Dim known = Dim.of(1);
    for (long e : shape) {
      known = known.times(Dim.of(Math.abs(e)));
    }
    boolean open = shape.contains(-1L);
    if (open ? given % known.constant() != 0 : given != known.constant()) {
      throw context.refuse(
          "examples that fit the shape " + shape,
          x,
          "An example has " + given + " elements; choose a shape with as many.");
    }
    List<Dim> dims = new ArrayList<>();
    dims.add(type.dim(0));
    for (long e : shape) {
      dims.add(Dim.of(e == -1 ? given / known.constant() : e));
    }
    return x.then(new Reshape(type.withDims(dims)));
  }
}
