package dev.crema.serving.inference;

import java.util.List;

/**
 * What a model takes and gives.
 *
 * @param labels names of the classes that the first output's last axis stands for; empty where it
 *     is no classifier
 */
public record Signature(List<TensorSpec> inputs, List<TensorSpec> outputs, List<String> labels) {
  public Signature {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    labels = List.copyOf(labels);
  }
}
