package dev.crema.nn;

import java.util.List;

/** A model under construction whose layers follow one another. */
public final class Sequential {
  private final Symbol input;
  private Symbol last;

  Sequential(Symbol input) {
    this.input = input;
    this.last = input;
  }

  /** Begins with an input of any type. */
  public static Sequential of(Symbol input) {
    return new Sequential(input);
  }

  public Sequential add(Layer layer) {
    last = layer.apply(last);
    return this;
  }

  public Sequential dense(int units) {
    return add(Dense.of(units));
  }

  public Sequential dense(int units, Activation activation) {
    return add(Dense.of(units, activation));
  }

  public Topology topology() {
    return Topology.of(List.of(input), List.of(last));
  }

  /** The model with fresh parameters; the same seed gives the same ones. */
  public Model build(long seed) {
    return Model.of(topology(), seed);
  }
}
