package dev.crema.nn;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.memory.ElementType;
import dev.crema.op.FakeQuantize;
import dev.crema.op.FakeQuantizeRows;
import dev.crema.op.FakeQuantizeWeights;
import dev.crema.pass.LayerQuantization;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a layer sees while it is built into a graph. */
public final class LayerContext {
  private final Graph graph;
  private final boolean training;
  private final ParameterTable table;
  private final Map<String, Node> variables = new HashMap<>();
  private final Map<String, Regularizer> regularizers;
  private final Map<String, Node> rounded = new HashMap<>();
  private final Quantization rounding;
  private Topology.Place place;
  private Node randomCounter;
  private int streams;

  /**
   * @param rounding what kernels, rows of tables and inputs are rounded as; null: they are not
   */
  LayerContext(
      Graph graph,
      boolean training,
      ParameterTable table,
      Map<String, Regularizer> regularizers,
      Quantization rounding) {
    this.graph = graph;
    this.training = training;
    this.table = table;
    this.regularizers = regularizers;
    this.rounding = rounding;
  }

  public Graph graph() {
    return graph;
  }

  /** Whether the graph is to be trained: dropout drops, batch norm uses the batch's statistics. */
  public boolean training() {
    return training;
  }

  /** Name of the place being built. */
  public String layer() {
    return place.name();
  }

  /** What training changes. Asked for again under the same name it is the same node. */
  public Node parameter(String name, Initializer initializer, long... extents) {
    Node variable = variable(Storage.PARAMETERS, name, initializer, extents);
    return name.equals(Quantization.KERNEL) && hasRoundedWeights()
        ? rounded.computeIfAbsent(path(name), k -> variable.then(new FakeQuantizeWeights()))
        : variable;
  }

  /** Rows [n, ..., units] that were read from the layer's table: rounded where it is to be int8. */
  Node rows(Node read) {
    return hasRoundedWeights() ? read.then(new FakeQuantizeRows()) : read;
  }

  private boolean hasRoundedWeights() {
    LayerQuantization q = rounding == null ? null : rounding.layers().get(layer());
    return q != null && q.isStatic() && q.weightScales().length > 0;
  }

  /** A layer's inputs as it reads them: rounded where it is to predict with bytes. */
  List<Node> inputs(List<Node> values) {
    LayerQuantization q = rounding == null ? null : rounding.layers().get(layer());
    if (q == null) {
      return values;
    }
    List<Node> read = new ArrayList<>(values);
    for (int i = 0; i < q.inputs().size() && i < read.size(); i++) {
      read.set(i, values.get(i).then(new FakeQuantize(q.inputs().get(i))));
    }
    return read;
  }

  /** As {@link #parameter}, with a penalty added to the training loss; null for none. */
  public Node parameter(
      String name, Initializer initializer, Regularizer penalty, long... extents) {
    Node node = parameter(name, initializer, extents);
    if (penalty != null) {
      regularizers.put(path(name), penalty);
    }
    return node;
  }

  /** What a training step changes by itself and prediction uses: running means. */
  public Node state(String name, Initializer initializer, long... extents) {
    return variable(Storage.STATE, name, initializer, extents);
  }

  /**
   * A number for each source of random numbers in the model, in order. Ask whether or not the graph
   * trains: then it is the same in every build.
   */
  public int nextStream() {
    return streams++;
  }

  /** The seed and the number of the training step, as bits [4]; the training loop sets them. */
  public Node randomCounter() {
    if (randomCounter == null) {
      randomCounter = graph.variable("random_counter", Storage.HYPER, 0, TensorType.of(4));
    }
    return randomCounter;
  }

  /**
   * An error about an input of this layer.
   *
   * @param wanted what the layer needs
   * @param got the input that is something else
   * @param advice a sentence that says what to do
   */
  public ShapeException refuse(String wanted, Node got, String advice) {
    String from =
        got.layer().isEmpty() || got.op() instanceof Variable ? "" : " from " + got.layer();
    return new ShapeException(
        where() + "needs " + wanted + " but gets " + got.type() + from + ". " + advice);
  }

  /** {@code conv2d_1 (Conv2d): }, to begin messages with. */
  String where() {
    return layer() + " (" + place.layer().getClass().getSimpleName() + "): ";
  }

  /** An input of float32, or an error. */
  Node floats(Node x) {
    if (x.type().element() != ElementType.FLOAT32) {
      throw refuse("float32", x, "Ids go through an Embedding first.");
    }
    return x;
  }

  /** Images [n, height, width, channels], or an error. */
  TensorType images(Node x) {
    if (x.type().rank() != 4) {
      throw refuse(
          "images [n, height, width, channels]",
          x,
          "Put a ReshapeTo(height, width, channels) before it.");
    }
    return x.type();
  }

  /** Sequences [n, length, channels], or an error. */
  TensorType sequences(Node x) {
    if (x.type().rank() != 3) {
      throw refuse(
          "sequences [n, length, features]", x, "Put a ReshapeTo(length, features) before it.");
    }
    return x.type();
  }

  void enter(Topology.Place next) {
    place = next;
  }

  private String path(String name) {
    return place.weights() + "/" + name;
  }

  private Node variable(Storage storage, String name, Initializer initializer, long... extents) {
    String path = path(name);
    TensorType type = TensorType.of(extents);
    Node known = variables.get(path);
    if (known != null && known.type().equals(type)) {
      return known;
    }
    if (known != null) {
      throw new ShapeException(
          where()
              + "shares "
              + path
              + " "
              + known.type()
              + " but would need it to be "
              + type
              + ". Give it an input of the shape that "
              + place.weights()
              + " gets, or a layer of its own.");
    }
    Parameter parameter = table.define(storage, path, type, initializer);
    Node node = graph.variable(path, storage, parameter.offset(), parameter.type());
    variables.put(path, node);
    return node;
  }

  /** The parameters that were asked for, by path. */
  Map<String, Node> variables() {
    return variables;
  }

  /** Checks that all inputs of a merging layer are of one type. */
  void requireSame(List<Node> inputs) {
    for (Node x : inputs) {
      if (!x.type().equals(inputs.get(0).type())) {
        throw refuse(
            "inputs of one shape, " + inputs.get(0).type() + " as its first,",
            x,
            "Bring it to that shape with a layer before it.");
      }
    }
  }
}
