package dev.crema.bench.gpu;

import dev.crema.graph.Application;
import dev.crema.graph.Dim;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.nn.Model;
import dev.crema.op.Conv2d;
import dev.crema.op.Linear;
import java.util.ArrayList;
import java.util.List;

/** Multiply-adds of a model's dense and convolutional layers. */
final class Products {
  private Products() {}

  /** Of one example, layer by layer. */
  static List<Long> of(Model model) {
    Graph graph = new Graph();
    model.build(graph, true);
    List<Long> products = new ArrayList<>();
    for (Application a : graph.applications()) {
      if (a.op() instanceof Linear || a.op() instanceof Conv2d) {
        Node kernel = a.input(1);
        long taps = elements(kernel) / kernel.type().extent(-1);
        products.add(taps * elements(a.output(0)));
      }
    }
    return products;
  }

  /** For one example. */
  private static long elements(Node node) {
    long product = 1;
    for (Dim d : node.type().dims()) {
      product *= d.perExample() + d.constant();
    }
    return product;
  }
}
