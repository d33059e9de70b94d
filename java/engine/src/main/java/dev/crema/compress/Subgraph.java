package dev.crema.compress;

import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.Variable;
import dev.crema.nn.ModelGraph;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A model as part of another's graph, over its inputs, with its parameters in storages of their
 * own.
 */
final class Subgraph {
  private Subgraph() {}

  /**
   * Copies a model into a graph.
   *
   * @param inputs for each of its inputs the node to read instead
   * @param storages for each of its storages the one that holds the same
   * @param name what its layers stand under in messages
   */
  static ModelGraph copy(
      ModelGraph model,
      Graph into,
      Map<Node, Node> inputs,
      UnaryOperator<Storage> storages,
      String name) {
    Map<Node, Node> copies = new IdentityHashMap<>(inputs);
    for (Application a : model.graph().applications()) {
      if (a.op() instanceof Input) {
        continue;
      }
      into.beginLayer(a.layer().isEmpty() ? name : name + "/" + a.layer());
      try {
        if (a.op() instanceof Variable v) {
          Storage storage = storages.apply(v.storage());
          copies.put(
              a.output(0), into.variable(name + "/" + v.name(), storage, v.offset(), v.type()));
        } else {
          Node[] in = a.inputs().stream().map(copies::get).toArray(Node[]::new);
          Application copy = into.apply(a.op(), in);
          a.outputs().forEach(y -> copies.put(y, copy.output(y.index())));
        }
      } finally {
        into.endLayer();
      }
    }
    Map<String, Node> values = new LinkedHashMap<>();
    model.values().forEach((layer, node) -> values.put(layer, copies.get(node)));
    Map<String, Node> variables = new LinkedHashMap<>();
    model.variables().forEach((path, node) -> variables.put(path, copies.get(node)));
    return new ModelGraph(
        into, values, model.outputs().stream().map(copies::get).toList(), variables, Map.of());
  }
}
