package dev.crema.serving.tensorflow;

import dev.crema.serving.inference.ServingException;
import dev.crema.serving.tensor.JsonFormat;

/**
 * Names of signatures. A model of Crema's has one signature, which answers to TensorFlow's usual
 * names for it.
 */
final class SignatureNames {
  static final String DEFAULT = "serving_default";
  static final String PREDICT = "tensorflow/serving/predict";
  static final String CLASSIFY = "tensorflow/serving/classify";
  static final String REGRESS = "tensorflow/serving/regress";

  private SignatureNames() {}

  /**
   * @param method {@link #PREDICT}, {@link #CLASSIFY} or {@link #REGRESS}
   */
  static void check(String name, String method) {
    if (!name.isEmpty() && !name.equals(DEFAULT) && !name.equals(method)) {
      throw ServingException.invalidArgument(
          "Serving signature name: \""
              + JsonFormat.shortened(name)
              + "\" not found in signature def; this model has \""
              + DEFAULT
              + '"');
    }
  }
}
