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
 * Gradient of {@link Embedding}: (ids [n, ..], dy [n, .., d]) to [v, d], in which each row of dy is
 * added at its id, in the order of the ids: the same bits for any thread count.
 *
 * @param table type of the result
 */
public record EmbeddingGrad(long padding, TensorType table) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType dy = in.get(1).requireFloating("gradient");
    if (!new Embedding(padding).infer(List.of(in.get(0), table)).get(0).sameDims(dy)) {
      throw new ShapeException(dy + " does not embed " + in.get(0) + " by a table " + table);
    }
    return List.of(table);
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(padding);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(1), y.input(0).then(new Embedding(padding), dy.get(0)));
  }
}
