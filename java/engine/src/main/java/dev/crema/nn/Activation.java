package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.op.Elu;
import dev.crema.op.Gelu;
import dev.crema.op.GeluTanh;
import dev.crema.op.HardSigmoid;
import dev.crema.op.HardSwish;
import dev.crema.op.LeakyRelu;
import dev.crema.op.LogSoftmax;
import dev.crema.op.Relu;
import dev.crema.op.Selu;
import dev.crema.op.Sigmoid;
import dev.crema.op.Silu;
import dev.crema.op.Softmax;
import dev.crema.op.Softplus;
import dev.crema.op.Tanh;

/** A function that a layer applies to each of its outputs; softmax over the last axis. */
public enum Activation {
  @JsonProperty("linear")
  LINEAR,
  @JsonProperty("relu")
  RELU,
  /** Slope 0.01 below zero, as Maas et al. (2013). */
  @JsonProperty("leaky_relu")
  LEAKY_RELU,
  /** α = 1 (Clevert et al. 2016). */
  @JsonProperty("elu")
  ELU,
  @JsonProperty("selu")
  SELU,
  /** Exact, by the error function. */
  @JsonProperty("gelu")
  GELU,
  /** Approximated by the hyperbolic tangent. */
  @JsonProperty("gelu_tanh")
  GELU_TANH,
  @JsonProperty("silu")
  SILU,
  @JsonProperty("sigmoid")
  SIGMOID,
  @JsonProperty("tanh")
  TANH,
  @JsonProperty("softmax")
  SOFTMAX,
  @JsonProperty("log_softmax")
  LOG_SOFTMAX,
  @JsonProperty("hard_swish")
  HARD_SWISH,
  @JsonProperty("hard_sigmoid")
  HARD_SIGMOID,
  @JsonProperty("softplus")
  SOFTPLUS;

  private static final double LEAK = 0.01;

  /** Adds it to a graph. */
  Node apply(Node x) {
    Op op =
        switch (this) {
          case LINEAR -> null;
          case RELU -> new Relu();
          case LEAKY_RELU -> new LeakyRelu(LEAK);
          case ELU -> new Elu(1);
          case SELU -> new Selu();
          case GELU -> new Gelu();
          case GELU_TANH -> new GeluTanh();
          case SILU -> new Silu();
          case SIGMOID -> new Sigmoid();
          case TANH -> new Tanh();
          case SOFTMAX -> new Softmax();
          case LOG_SOFTMAX -> new LogSoftmax();
          case HARD_SWISH -> new HardSwish();
          case HARD_SIGMOID -> new HardSigmoid();
          case SOFTPLUS -> new Softplus();
        };
    return op == null ? x : x.then(op);
  }
}
