package dev.crema.nn;

import dev.crema.graph.Node;

/** What the convolutions have in common beside their shape; the layers' Javadoc says more. */
record FilterSettings(
    Activation activation,
    Boolean bias,
    Initializer kernelInitializer,
    Initializer biasInitializer,
    Regularizer kernelRegularizer) {
  FilterSettings withActivation(Activation function) {
    return new FilterSettings(
        function, bias, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  FilterSettings withBias() {
    return new FilterSettings(
        activation, true, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  FilterSettings withoutBias() {
    return new FilterSettings(
        activation, false, kernelInitializer, biasInitializer, kernelRegularizer);
  }

  FilterSettings withKernelInitializer(Initializer initializer) {
    return new FilterSettings(activation, bias, initializer, biasInitializer, kernelRegularizer);
  }

  FilterSettings withBiasInitializer(Initializer initializer) {
    return new FilterSettings(activation, bias, kernelInitializer, initializer, kernelRegularizer);
  }

  FilterSettings withKernelRegularizer(Regularizer regularizer) {
    return new FilterSettings(activation, bias, kernelInitializer, biasInitializer, regularizer);
  }

  /** The parameter of that shape, started for as many groups. */
  Node kernel(LayerContext context, int groups, long... shape) {
    Initializer start = ConvSettings.grouped(kernelInitializer, groups);
    return context.parameter("kernel", start, kernelRegularizer, shape);
  }

  /** The parameter, or null if there is none. */
  Node bias(LayerContext context, long filters) {
    return bias ? context.parameter("bias", biasInitializer, filters) : null;
  }
}
