package dev.crema.bench;

/**
 * A tensor of a network's parameters, row-major: kernels and biases as {@link Network} has them.
 */
public record Weights(float[] values, long... dims) {}
