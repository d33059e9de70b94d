package dev.crema.serving.tensorflow;

import dev.crema.memory.ElementType;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.protocols.tensorflow.Example;
import dev.crema.serving.protocols.tensorflow.Feature;
import dev.crema.serving.protocols.tensorflow.serving.ExampleListWithContext;
import dev.crema.serving.protocols.tensorflow.serving.Input;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * TensorFlow's examples as tensors: the feature of an input's name holds that input's numbers, row
 * by row. Features that no input is named after are left alone, as TensorFlow does.
 */
final class Examples {
  private Examples() {}

  /**
   * @param tensorBytes of the biggest tensor that is made: a context's feature counts once for each
   *     example, so a small request could become a big one
   */
  static Map<String, TensorValue> inputs(Input input, Signature signature, long tensorBytes) {
    List<Example> examples;
    Example context = Example.getDefaultInstance();
    switch (input.getKindCase()) {
      case EXAMPLE_LIST -> examples = input.getExampleList().getExamplesList();
      case EXAMPLE_LIST_WITH_CONTEXT -> {
        examples = input.getExampleListWithContext().getExamplesList();
        context = input.getExampleListWithContext().getContext();
      }
      default -> examples = List.of();
    }
    if (examples.isEmpty()) {
      throw ServingException.invalidArgument("Input is empty: it has no examples");
    }
    Map<String, TensorValue> inputs = new LinkedHashMap<>();
    for (TensorSpec spec : signature.inputs()) {
      inputs.put(spec.name(), tensor(spec, examples, context, tensorBytes));
    }
    return inputs;
  }

  private static TensorValue tensor(
      TensorSpec spec, List<Example> examples, Example context, long tensorBytes) {
    long elements = spec.elementsPerExample();
    if (elements < 0) {
      throw ServingException.invalidArgument(
          "Input " + spec + " has no fixed size, which examples need; use predict");
    }
    // Bounded by what was sent: each example must bring that many numbers, or the context once.
    long sent = 0;
    for (int i = 0; i < examples.size(); i++) {
      sent += checked(spec, examples.get(i), context, i, elements);
    }
    long bytes = Math.multiplyExact(sent, spec.type().byteSize());
    if (bytes > Math.min(tensorBytes, Integer.MAX_VALUE - 64)) {
      throw ServingException.invalidArgument(
          "Input '"
              + spec.name()
              + "' of these examples has "
              + bytes
              + " bytes, at most "
              + tensorBytes);
    }
    ByteBuffer data = ByteBuffer.allocate((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (Example example : examples) {
      put(feature(spec.name(), example, context), spec.type(), data);
    }
    long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
    if (shape.length > 0) {
      shape[0] = examples.size();
    }
    return new TensorValue(spec.type(), shape, data.flip());
  }

  /** Whether features are columns of a table: none is named as an input. */
  static boolean areRows(Input input, Signature signature) {
    if (signature.columns().isEmpty()) {
      return false;
    }
    ExampleListWithContext list = input.getExampleListWithContext();
    Example first =
        list.getExamplesCount() > 0
            ? list.getExamples(0)
            : input.getExampleList().getExamplesCount() > 0
                ? input.getExampleList().getExamples(0)
                : Example.getDefaultInstance();
    return signature.inputs().stream()
        .noneMatch(
            i ->
                first.getFeatures().containsFeature(i.name())
                    || list.getContext().getFeatures().containsFeature(i.name()));
  }

  private static Feature feature(String name, Example example, Example context) {
    Feature own = example.getFeatures().getFeatureMap().get(name);
    return own != null ? own : context.getFeatures().getFeatureMap().get(name);
  }

  private static long checked(
      TensorSpec spec, Example example, Example context, int index, long elements) {
    String where = "Example " + index + ", feature '" + spec.name() + "': ";
    if (example.getFeatures().containsFeature(spec.name())
        && context.getFeatures().containsFeature(spec.name())) {
      throw ServingException.invalidArgument(
          where + "stands in the example and in the context; it must stand in one of them");
    }
    Feature feature = feature(spec.name(), example, context);
    if (feature == null) {
      throw ServingException.invalidArgument(
          where
              + "is missing; the model takes "
              + elements
              + " numbers of type "
              + DataTypes.of(spec.type()));
    }
    int count =
        switch (feature.getKindCase()) {
          case FLOAT_LIST -> feature.getFloatList().getValueCount();
          case INT64_LIST -> feature.getInt64List().getValueCount();
          case KIND_NOT_SET -> 0;
          case BYTES_LIST ->
              throw ServingException.invalidArgument(where + "holds bytes, not numbers");
        };
    if (count != elements) {
      throw ServingException.invalidArgument(
          where + "has " + count + " numbers, the model takes " + elements);
    }
    if (feature.hasFloatList() && !spec.type().isFloating()) {
      throw ServingException.invalidArgument(
          where + "holds floats, the model takes " + DataTypes.of(spec.type()));
    }
    return count;
  }

  private static void put(Feature feature, ElementType type, ByteBuffer data) {
    if (feature.hasFloatList()) {
      var values = feature.getFloatList();
      for (int i = 0; i < values.getValueCount(); i++) {
        Numbers.put(data, type, values.getValue(i));
      }
    } else {
      var values = feature.getInt64List();
      for (int i = 0; i < values.getValueCount(); i++) {
        Numbers.put(data, type, values.getValue(i));
      }
    }
  }
}
