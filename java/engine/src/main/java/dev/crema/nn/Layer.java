package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.crema.graph.Node;
import java.util.List;

/**
 * A part of a model: says which parameters it has and adds its ops to a graph. Implementations are
 * immutable records of their settings; what is null in the record's constructor takes the default
 * that its comment names. One layer object used at several places shares its parameters there.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
public interface Layer {
  /**
   * Adds this layer's ops.
   *
   * @param context gives its parameters, and whether the graph trains
   * @param inputs in the order in which the layer was applied to them
   * @return its output
   */
  Node build(LayerContext context, List<Node> inputs);

  /** How many inputs it takes; -1 for any number from one. */
  @JsonIgnore
  default int arity() {
    return 1;
  }

  /** Applies it to the outputs of other layers: the functional way to write a model. */
  default Symbol apply(Symbol... inputs) {
    return new Symbol(this, List.of(inputs), null);
  }

  /** As {@link #apply}, with a name of its own in summaries and messages. */
  default Symbol named(String name, Symbol... inputs) {
    return new Symbol(this, List.of(inputs), name);
  }
}
