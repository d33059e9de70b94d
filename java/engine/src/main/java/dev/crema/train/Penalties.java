package dev.crema.train;

import dev.crema.graph.Node;
import dev.crema.nn.ModelGraph;
import dev.crema.nn.Regularizer;
import dev.crema.op.Abs;
import dev.crema.op.Add;
import dev.crema.op.Affine;
import dev.crema.op.ReduceSum;
import dev.crema.op.Square;
import java.util.Map;
import java.util.stream.IntStream;

/** The regularisers of a model as part of its loss. */
final class Penalties {
  private Penalties() {}

  static Node add(Node loss, ModelGraph model) {
    Node total = loss;
    for (Map.Entry<String, Regularizer> e : model.regularizers().entrySet()) {
      Node w = model.variables().get(e.getKey());
      if (e.getValue().l1() > 0) {
        total = total.then(new Add(), sum(w.then(new Abs()), e.getValue().l1()));
      }
      if (e.getValue().l2() > 0) {
        total = total.then(new Add(), sum(w.then(new Square()), e.getValue().l2()));
      }
    }
    return total;
  }

  private static Node sum(Node x, double factor) {
    return x.then(new ReduceSum(IntStream.range(0, x.type().rank()).boxed().toList(), false))
        .then(new Affine(factor, 0));
  }
}
