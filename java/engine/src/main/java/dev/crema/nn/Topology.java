package dev.crema.nn;

import dev.crema.graph.Dim;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The structure of a model: its inputs, layers applied to one another, its outputs. Immutable,
 * holds no numbers, written to JSON by {@link TopologyFormat}.
 */
public final class Topology {
  /** An input of the model; its type has the batch as first axis. */
  public record InputSpec(String name, TensorType type) {
    public InputSpec {
      boolean batched = type.rank() > 0 && type.dim(0).equals(Dim.BATCH);
      if (!batched || !type.dims().stream().skip(1).allMatch(Dim::isConstant)) {
        throw new ShapeException(
            "Input '" + name + "' must be [n, extents...] but is " + type + ". Use batchOf.");
      }
      if (type.elements().perExample() == 0) {
        throw new ShapeException(
            "An example of input '" + name + "', " + type + ", is empty: extents are at least 1");
      }
      if (type.elements().perExample() > MOST_ELEMENTS) {
        throw new ShapeException(
            "An example of input '" + name + "', " + type + ", has more than 2^31 - 1 elements");
      }
    }
  }

  /**
   * A layer at one place.
   *
   * @param name of the place
   * @param layer what it does
   * @param weights name of the place whose parameters it uses: its own, or the first place of a
   *     shared layer
   * @param inputs names of places or model inputs
   */
  public record Place(String name, Layer layer, String weights, List<String> inputs) {
    public Place {
      inputs = List.copyOf(inputs);
    }
  }

  private static final long MOST_ELEMENTS = Integer.MAX_VALUE;

  private final List<InputSpec> inputs;
  private final List<Place> places;
  private final List<String> outputs;

  /**
   * @throws ShapeException if a name is used twice or not known, or an input comes after its use
   */
  public Topology(List<InputSpec> inputs, List<Place> places, List<String> outputs) {
    this.inputs = List.copyOf(inputs);
    this.places = List.copyOf(places);
    this.outputs = List.copyOf(outputs);
    check();
  }

  private void check() {
    if (inputs.isEmpty() || outputs.isEmpty()) {
      throw new ShapeException("A model needs at least one input and one output");
    }
    Set<String> known = new LinkedHashSet<>();
    Map<String, Place> owners = new HashMap<>();
    for (InputSpec input : inputs) {
      checkName(input.name());
      if (!known.add(input.name())) {
        throw new ShapeException("Two inputs are named '" + input.name() + "'");
      }
    }
    for (Place place : places) {
      checkName(place.name());
      for (String in : place.inputs()) {
        if (!known.contains(in)) {
          throw new ShapeException(
              "Layer '"
                  + place.name()
                  + "' reads '"
                  + in
                  + "', which is no input and no earlier layer. Known there: "
                  + known);
        }
      }
      int arity = place.layer().arity();
      if (place.inputs().isEmpty() || arity >= 0 && arity != place.inputs().size()) {
        throw new ShapeException(
            "Layer '"
                + place.name()
                + "' ("
                + LayerNames.of(place.layer())
                + ") takes "
                + (arity < 0 ? "at least one input" : arity == 1 ? "one input" : arity + " inputs")
                + ", got "
                + place.inputs());
      }
      if (!known.add(place.name())) {
        throw new ShapeException("Two layers are named '" + place.name() + "'");
      }
      owners.put(place.name(), place);
      Place owner = owners.get(place.weights());
      if (owner == null || !owner.layer().equals(place.layer())) {
        throw new ShapeException(
            "Layer '"
                + place.name()
                + "' shares the parameters of '"
                + place.weights()
                + "', which is no earlier layer of the same settings");
      }
    }
    for (String output : outputs) {
      if (!known.contains(output)) {
        throw new ShapeException("Output '" + output + "' is no layer of this model: " + known);
      }
    }
  }

  /** Names are keys of tensors in files and stand in tables and messages. */
  private static void checkName(String name) {
    boolean control = name.chars().anyMatch(c -> Character.isISOControl(c));
    if (name.isEmpty() || name.length() > 200 || control) {
      throw new ShapeException(
          "A name must have 1 to 200 characters and no control characters, got '"
              + (name.length() > 200 ? name.substring(0, 200) + "…" : name)
              + "'");
    }
  }

  /** The structure behind outputs that were written with {@link Layer#apply}. */
  public static Topology of(List<Symbol> inputs, List<Symbol> outputs) {
    return new Tracer(inputs).trace(outputs);
  }

  public List<InputSpec> inputs() {
    return inputs;
  }

  public List<Place> places() {
    return places;
  }

  public List<String> outputs() {
    return outputs;
  }

  /** The types of the outputs, for messages and summaries. */
  public List<TensorType> outputTypes() {
    Graph graph = new Graph();
    return build(graph, false, new ParameterTable()).outputs().stream().map(Node::type).toList();
  }

  /** Which parameters and states a model of this structure has; takes no memory for them. */
  public ParameterTable table() {
    ParameterTable table = new ParameterTable();
    build(new Graph(), true, table);
    return table;
  }

  /**
   * Adds the model to a graph.
   *
   * @param table gets the parameters; a table that already has them is read
   */
  ModelGraph build(Graph graph, boolean training, ParameterTable table) {
    return build(graph, training, table, null);
  }

  /**
   * The same where layers compute with what they will read and multiply by as bytes.
   *
   * @param rounding null for none
   */
  ModelGraph build(Graph graph, boolean training, ParameterTable table, Quantization rounding) {
    Map<String, Node> values = new LinkedHashMap<>();
    Map<String, Regularizer> regularizers = new LinkedHashMap<>();
    for (InputSpec input : inputs) {
      values.put(input.name(), graph.input(input.name(), input.type()));
    }
    LayerContext context = new LayerContext(graph, training, table, regularizers, rounding);
    for (Place place : places) {
      List<Node> in = place.inputs().stream().map(values::get).toList();
      context.enter(place);
      graph.beginLayer(place.name());
      try {
        values.put(place.name(), place.layer().build(context, context.inputs(in)));
      } finally {
        graph.endLayer();
      }
    }
    return new ModelGraph(
        graph,
        values,
        outputs.stream().map(values::get).toList(),
        context.variables(),
        regularizers);
  }

  /** Finds the layers behind outputs, inputs first, and names them. */
  private static final class Tracer {
    private final Map<Symbol, String> names = new IdentityHashMap<>();
    private final Map<Layer, String> owners = new IdentityHashMap<>();
    private final Map<String, Integer> counts = new HashMap<>();
    private final Set<String> used = new HashSet<>();
    private final List<InputSpec> inputs = new ArrayList<>();
    private final List<Place> places = new ArrayList<>();

    Tracer(List<Symbol> symbols) {
      for (Symbol s : symbols) {
        if (s.type() == null) {
          throw new IllegalArgumentException("A model's input must be made by Symbol.input");
        }
        inputs.add(new InputSpec(s.name(), s.type()));
        names.put(s, s.name());
        used.add(s.name());
      }
    }

    Topology trace(List<Symbol> outputs) {
      List<String> names = outputs.stream().map(this::visit).toList();
      return new Topology(inputs, places, names);
    }

    private String visit(Symbol symbol) {
      String known = names.get(symbol);
      if (known != null) {
        return known;
      }
      if (symbol.layer() == null) {
        throw new IllegalArgumentException(
            "Input '" + symbol.name() + "' is used but not among the model's inputs");
      }
      List<String> in = symbol.inputs().stream().map(this::visit).toList();
      String name = symbol.name() != null ? symbol.name() : fresh(symbol.layer());
      used.add(name);
      names.put(symbol, name);
      String owner = owners.computeIfAbsent(symbol.layer(), l -> name);
      places.add(new Place(name, symbol.layer(), owner, in));
      return name;
    }

    private String fresh(Layer layer) {
      String kind = LayerNames.of(layer);
      String name;
      do {
        name = kind + "_" + counts.merge(kind, 1, Integer::sum);
      } while (used.contains(name));
      return name;
    }
  }
}
