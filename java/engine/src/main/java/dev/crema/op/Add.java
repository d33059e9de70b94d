package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** Sum of two, element by element. */
public record Add() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0));
    g.add(y.input(1), dy.get(0));
  }
}
