package dev.crema.nn;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import java.util.HashMap;
import java.util.Map;

/** What a layer sees while it is built into a graph. */
public final class LayerContext {
  private final Graph graph;
  private final boolean training;
  private final ParameterTable table;
  private final Map<String, Node> variables = new HashMap<>();
  private final Map<String, Regularizer> regularizers;
  private String layer = "";
  private int streams;

  LayerContext(
      Graph graph, boolean training, ParameterTable table, Map<String, Regularizer> regularizers) {
    this.graph = graph;
    this.training = training;
    this.table = table;
    this.regularizers = regularizers;
  }

  public Graph graph() {
    return graph;
  }

  /** Whether the graph is to be trained: dropout drops, batch norm uses the batch's statistics. */
  public boolean training() {
    return training;
  }

  /** Name of the layer being built. */
  public String layer() {
    return layer;
  }

  /** What training changes. Asked for again under the same name it is the same node. */
  public Node parameter(String name, Initializer initializer, long... extents) {
    return variable(Storage.PARAMETERS, name, initializer, extents);
  }

  /** As {@link #parameter}, with a penalty added to the training loss; null for none. */
  public Node parameter(
      String name, Initializer initializer, Regularizer penalty, long... extents) {
    Node node = parameter(name, initializer, extents);
    if (penalty != null) {
      regularizers.put(layer + "/" + name, penalty);
    }
    return node;
  }

  /** What a training step changes by itself and prediction uses: running means. */
  public Node state(String name, Initializer initializer, long... extents) {
    return variable(Storage.STATE, name, initializer, extents);
  }

  /** A number for each source of random numbers in the model, in order; the same in every build. */
  public int nextStream() {
    return streams++;
  }

  void enter(String name) {
    layer = name;
  }

  private Node variable(Storage storage, String name, Initializer initializer, long... extents) {
    String path = layer + "/" + name;
    return variables.computeIfAbsent(
        path,
        p -> {
          Parameter parameter = table.define(storage, p, TensorType.of(extents), initializer);
          return graph.variable(p, storage, parameter.offset(), parameter.type());
        });
  }

  /** The parameters that were asked for, by path. */
  Map<String, Node> variables() {
    return variables;
  }
}
