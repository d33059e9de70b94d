package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.op.Relu;

/** A function that a layer applies to each of its outputs. */
public enum Activation {
  @JsonProperty("linear")
  LINEAR,
  @JsonProperty("relu")
  RELU;

  /** Adds it to a graph. */
  Node apply(Node x) {
    Op op =
        switch (this) {
          case LINEAR -> null;
          case RELU -> new Relu();
        };
    return op == null ? x : x.then(op);
  }
}
