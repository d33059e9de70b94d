package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.op.Linear;
import java.util.List;

/**
 * Fully connected: y = activation(x · kernel + bias). [n, ..., in] → [n, ..., units]. Parameters:
 * kernel [in, units], bias [units].
 *
 * @param units outputs
 * @param activation null: linear
 * @param bias null: true
 * @param kernelInitializer null: Glorot uniform
 * @param biasInitializer null: zeros
 * @param kernelRegularizer null: none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Dense(
    int units,
    Activation activation,
    Boolean bias,
    Initializer kernelInitializer,
    Initializer biasInitializer,
    Regularizer kernelRegularizer)
    implements Layer {
  public Dense {
    if (units < 1) {
      throw new ShapeException("units must be at least 1, got " + units);
    }
    activation = activation == null ? Activation.LINEAR : activation;
    bias = bias == null ? Boolean.TRUE : bias;
    kernelInitializer = kernelInitializer == null ? Initializer.GLOROT_UNIFORM : kernelInitializer;
    biasInitializer = biasInitializer == null ? Initializer.ZEROS : biasInitializer;
  }

  public static Dense of(int units) {
    return new Dense(units, null, null, null, null, null);
  }

  public static Dense of(int units, Activation activation) {
    return new Dense(units, activation, null, null, null, null);
  }

  public Dense withUnits(int count) {
    return new Dense(
        count, activation, bias, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  public Dense withActivation(Activation function) {
    return new Dense(units, function, bias, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  public Dense withBias() {
    return new Dense(
        units, activation, true, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  public Dense withoutBias() {
    return new Dense(
        units, activation, false, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  public Dense withKernelInitializer(Initializer initializer) {
    return new Dense(units, activation, bias, initializer, biasInitializer, kernelRegularizer);
  }

  public Dense withBiasInitializer(Initializer initializer) {
    return new Dense(units, activation, bias, kernelInitializer, initializer, kernelRegularizer);
  }

  public Dense withKernelRegularizer(Regularizer regularizer) {
    return new Dense(units, activation, bias, kernelInitializer, biasInitializer, regularizer);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    TensorType type = x.type();
    if (type.rank() < 2) {
      throw context.refuse("features [n, ..., in]", x, "Put a ReshapeTo(1) before it.");
    }
    Node kernel =
        context.parameter("kernel", kernelInitializer, kernelRegularizer, type.extent(-1), units);
    Node b = bias ? context.parameter("bias", biasInitializer, units) : null;
    return activation.apply(x.then(new Linear(), kernel, b));
  }
}
