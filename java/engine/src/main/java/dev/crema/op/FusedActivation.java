package dev.crema.op;

import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;

/**
 * An activation that a product applies while it writes its result; numbers as in {@code gemm.h}.
 */
public enum FusedActivation {
  NONE(0),
  RELU(1),
  SIGMOID(2),
  TANH(3),
  GELU(4),
  GELU_TANH(5),
  SILU(6);

  private final int id;

  FusedActivation(int id) {
    this.id = id;
  }

  int id() {
    return id;
  }

  /** Whether the gradient follows from the output alone, so that a training graph may fuse it. */
  public boolean isDifferentiable() {
    return this == NONE || this == RELU;
  }

  /** The op that it stands for; null for none. */
  public ElementwiseOp op() {
    return switch (this) {
      case NONE -> null;
      case RELU -> new Relu();
      case SIGMOID -> new Sigmoid();
      case TANH -> new Tanh();
      case GELU -> new Gelu();
      case GELU_TANH -> new GeluTanh();
      case SILU -> new Silu();
    };
  }

  Node gradient(Node y, Node dy) {
    return switch (this) {
      case NONE -> dy;
      case RELU -> y.then(new ReluGrad(), dy);
      default ->
          throw new ShapeException(
              this + " is fused only in prediction graphs: its gradient needs the input");
    };
  }
}
