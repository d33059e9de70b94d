package dev.crema.serving.tensorflow;

import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocols.tensorflow.serving.ClassificationResult;
import dev.crema.serving.protocols.tensorflow.serving.Classifications;
import dev.crema.serving.protocols.tensorflow.serving.Regression;
import dev.crema.serving.protocols.tensorflow.serving.RegressionResult;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Classifications and regressions out of a model's first output. */
final class Scores {
  private Scores() {}

  /**
   * Every class with its score, in the model's order.
   *
   * @throws ServingException if the output is not [n, classes]
   */
  static ClassificationResult classify(InferenceResponse response, Signature signature) {
    Map.Entry<String, TensorValue> first = first(response, signature);
    long[] shape = first.getValue().shape();
    if (shape.length != 2) {
      throw unfit(first, "a classifier gives [n, classes]");
    }
    float[] scores = Numbers.floats(first.getKey(), first.getValue());
    int classes = (int) shape[1];
    List<String> labels = signature.labels().size() == classes ? signature.labels() : List.of();
    ClassificationResult.Builder result = ClassificationResult.newBuilder();
    for (int row = 0; row < shape[0]; row++) {
      Classifications.Builder one = Classifications.newBuilder();
      for (int c = 0; c < classes; c++) {
        one.addClassesBuilder()
            .setLabel(labels.isEmpty() ? "" : labels.get(c))
            .setScore(scores[row * classes + c]);
      }
      result.addClassifications(one);
    }
    return result.build();
  }

  /**
   * One number for each example.
   *
   * @throws ServingException if the output is neither [n] nor [n, 1]
   */
  static RegressionResult regress(InferenceResponse response, Signature signature) {
    Map.Entry<String, TensorValue> first = first(response, signature);
    long[] shape = first.getValue().shape();
    if (shape.length != 1 && !(shape.length == 2 && shape[1] == 1)) {
      throw unfit(first, "a regression gives [n] or [n, 1]");
    }
    RegressionResult.Builder result = RegressionResult.newBuilder();
    for (float value : Numbers.floats(first.getKey(), first.getValue())) {
      result.addRegressions(Regression.newBuilder().setValue(value));
    }
    return result.build();
  }

  private static Map.Entry<String, TensorValue> first(
      InferenceResponse response, Signature signature) {
    String name = signature.outputs().get(0).name();
    return Map.entry(name, response.outputs().get(name));
  }

  private static ServingException unfit(Map.Entry<String, TensorValue> output, String expected) {
    return ServingException.invalidArgument(
        "Output '"
            + output.getKey()
            + "' has the shape "
            + Arrays.toString(output.getValue().shape())
            + ", but "
            + expected
            + ". Use predict.");
  }
}
