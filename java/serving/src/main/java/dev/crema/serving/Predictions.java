package dev.crema.serving;

import dev.crema.memory.ElementType;
import dev.crema.serving.inference.Inference;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionException;

/**
 * A served model as a Java service asks it, within the same process: the same versions, batches and
 * metrics as for requests from outside, no protocol in between. Thread-safe; holds nothing that
 * must be closed.
 */
public final class Predictions {
  private final Models models;
  private final Inference inference;
  private final ModelReference model;

  public Predictions(Models models, Inference inference, ModelReference model) {
    this.models = Objects.requireNonNull(models, "models");
    this.inference = Objects.requireNonNull(inference, "inference");
    this.model = Objects.requireNonNull(model, "model");
  }

  /**
   * The first output for one example, of a model with one float32 input.
   *
   * @throws ServingException if the model is not there, is too busy, or takes something else
   */
  public float[] predict(float... example) {
    Objects.requireNonNull(example, "example");
    return first(ask(Map.of(input().name(), examples(example, 1)))).floats();
  }

  /** As {@link #predict(float...)}, for several examples, which are computed together. */
  public float[][] predict(float[][] examples) {
    Objects.requireNonNull(examples, "examples");
    int width = examples.length == 0 ? (int) input().elementsPerExample() : examples[0].length;
    float[] all = new float[examples.length * width];
    for (int i = 0; i < examples.length; i++) {
      if (examples[i].length != width) {
        throw ServingException.invalidArgument(
            "Example " + i + " has " + examples[i].length + " values, the first has " + width);
      }
      System.arraycopy(examples[i], 0, all, i * width, width);
    }
    float[] flat = first(ask(Map.of(input().name(), examples(all, examples.length)))).floats();
    float[][] outputs = new float[examples.length][];
    int outputWidth = examples.length == 0 ? 0 : flat.length / examples.length;
    for (int i = 0; i < outputs.length; i++) {
      outputs[i] = java.util.Arrays.copyOfRange(flat, i * outputWidth, (i + 1) * outputWidth);
    }
    return outputs;
  }

  /** The first output for rows of the table that the model learnt from. */
  public TensorValue predictRows(List<Map<String, String>> rows) {
    Objects.requireNonNull(rows, "rows");
    return first(answer(InferenceRequest.ofRows(model, rows)));
  }

  /**
   * All outputs, of a model with any inputs. The inputs' memory is read in place; direct buffers
   * are copied once, to where the model reads them.
   */
  public Map<String, TensorValue> predict(Map<String, TensorValue> inputs) {
    Objects.requireNonNull(inputs, "inputs");
    return ask(inputs).outputs();
  }

  private InferenceResponse ask(Map<String, TensorValue> inputs) {
    return answer(InferenceRequest.of(model, inputs));
  }

  private InferenceResponse answer(InferenceRequest request) {
    try {
      return inference.infer(request).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof ServingException refused) {
        throw refused;
      }
      throw e;
    }
  }

  private static TensorValue first(InferenceResponse response) {
    return response.outputs().values().iterator().next();
  }

  private TensorSpec input() {
    return models.signature(model).inputs().get(0);
  }

  private TensorValue examples(float[] values, int count) {
    TensorSpec input = input();
    long expected = count * input.elementsPerExample();
    if (input.type() != ElementType.FLOAT32 || values.length != expected) {
      throw ServingException.invalidArgument(
          "Model "
              + model
              + " takes "
              + input
              + ", got "
              + values.length
              + " FLOAT32 values for "
              + count
              + (count == 1 ? " example" : " examples"));
    }
    long[] shape = input.shape().stream().mapToLong(Long::longValue).toArray();
    shape[0] = count;
    return TensorValue.of(values, shape);
  }
}
