package dev.crema.nn;

import dev.crema.graph.TensorType;
import java.util.List;

/** The output of a layer, or an input, while a model is being written. Compared by identity. */
public final class Symbol {
  private final Layer layer; // null for an input
  private final List<Symbol> inputs;
  private final String name;
  private final TensorType type; // of an input

  Symbol(Layer layer, List<Symbol> inputs, String name) {
    if (layer.arity() >= 0 && inputs.size() != layer.arity() || inputs.isEmpty()) {
      throw new IllegalArgumentException(
          layer.getClass().getSimpleName()
              + " takes "
              + (layer.arity() < 0 ? "at least one input" : layer.arity() + " input(s)")
              + ", got "
              + inputs.size());
    }
    this.layer = layer;
    this.inputs = List.copyOf(inputs);
    this.name = name;
    this.type = null;
  }

  private Symbol(String name, TensorType type) {
    this.layer = null;
    this.inputs = List.of();
    this.name = name;
    this.type = type;
  }

  /**
   * An input of the model.
   *
   * @param type with the batch as its first axis: {@code TensorType.batchOf(28, 28, 1)}
   */
  public static Symbol input(String name, TensorType type) {
    return new Symbol(name, type);
  }

  /** A float32 input [n, extents...]. */
  public static Symbol input(String name, long... extents) {
    return new Symbol(name, TensorType.batchOf(extents));
  }

  /** Passes it through a layer with one input. */
  public Symbol then(Layer next) {
    return next.apply(this);
  }

  Layer layer() {
    return layer;
  }

  List<Symbol> inputs() {
    return inputs;
  }

  String name() {
    return name;
  }

  TensorType type() {
    return type;
  }
}
