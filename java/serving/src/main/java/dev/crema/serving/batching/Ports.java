package dev.crema.serving.batching;

import dev.crema.memory.ElementType;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.LoadedVersion;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The inputs and outputs of a model, ready for checking requests and making answers. */
final class Ports {
  private final String model; // for messages
  private final Signature signature;
  private final String[] inputNames;
  private final ElementType[] inputTypes;
  private final long[][] inputShapes;
  private final String[] outputNames;
  private final ElementType[] outputTypes;
  private final long[][] outputShapes;
  private final int[] inputBytes; // an example
  private final int[] outputBytes;
  private final int[] allOutputs;

  Ports(String model, Signature signature) {
    this.model = model;
    this.signature = signature;
    this.inputNames = names(signature.inputs());
    this.inputTypes = types(signature.inputs());
    this.inputShapes = shapes(signature.inputs());
    this.inputBytes = bytes(signature.inputs());
    this.outputNames = names(signature.outputs());
    this.outputTypes = types(signature.outputs());
    this.outputShapes = shapes(signature.outputs());
    this.outputBytes = bytes(signature.outputs());
    this.allOutputs = new int[outputNames.length];
    Arrays.setAll(allOutputs, i -> i);
  }

  private static String[] names(List<TensorSpec> specs) {
    return specs.stream().map(TensorSpec::name).toArray(String[]::new);
  }

  private static ElementType[] types(List<TensorSpec> specs) {
    return specs.stream().map(TensorSpec::type).toArray(ElementType[]::new);
  }

  private static long[][] shapes(List<TensorSpec> specs) {
    return specs.stream()
        .map(spec -> spec.shape().stream().mapToLong(Long::longValue).toArray())
        .toArray(long[][]::new);
  }

  private static int[] bytes(List<TensorSpec> specs) {
    return specs.stream()
        .mapToInt(s -> Math.toIntExact(s.elementsPerExample() * s.type().byteSize()))
        .toArray();
  }

  int inputs() {
    return inputNames.length;
  }

  String inputName(int input) {
    return inputNames[input];
  }

  /** Bytes of an example of an input. */
  int inputBytes(int input) {
    return inputBytes[input];
  }

  /** Bytes of an example of an output. */
  int outputBytes(int output) {
    return outputBytes[output];
  }

  /**
   * The inputs of a request in the model's order.
   *
   * @throws ServingException naming the input that is missing, unknown or not what the model takes
   */
  ByteBuffer[] check(Map<String, TensorValue> given) {
    ByteBuffer[] data = new ByteBuffer[inputNames.length];
    long rows = -1;
    for (int i = 0; i < data.length; i++) {
      TensorValue value = given.get(inputNames[i]);
      if (value == null) {
        throw ServingException.invalidArgument(
            "Input '"
                + inputNames[i]
                + "' of model "
                + model
                + " is missing; it takes "
                + signature.inputs()
                + ", got "
                + given.keySet());
      }
      check(i, value);
      if (rows >= 0 && value.rows() != rows) {
        throw ServingException.invalidArgument(
            "All inputs of model "
                + model
                + " have the same number of examples: '"
                + inputNames[0]
                + "' has "
                + rows
                + ", '"
                + inputNames[i]
                + "' has "
                + value.rows());
      }
      rows = value.rows();
      data[i] = value.data();
    }
    if (given.size() > data.length) {
      throw ServingException.invalidArgument(
          "Model "
              + model
              + " has no inputs "
              + given.keySet().stream().filter(n -> !List.of(inputNames).contains(n)).toList()
              + "; it takes "
              + signature.inputs());
    }
    if (rows > Integer.MAX_VALUE) {
      throw ServingException.invalidArgument(rows + " examples are too many for one request");
    }
    return data;
  }

  private void check(int input, TensorValue value) {
    long[] expected = inputShapes[input];
    long[] got = value.shape();
    boolean fits = value.type() == inputTypes[input] && got.length == expected.length;
    for (int axis = 1; fits && axis < got.length; axis++) {
      fits = got[axis] == expected[axis];
    }
    if (!fits) {
      throw ServingException.invalidArgument(
          "Input '"
              + inputNames[input]
              + "' of model "
              + model
              + " expects "
              + inputTypes[input]
              + Arrays.toString(expected)
              + " (-1: any number of examples), got "
              + value);
    }
  }

  /**
   * Places of the outputs that a request wants.
   *
   * @throws ServingException if there is none of such a name
   */
  int[] wanted(InferenceRequest request) {
    List<String> names = request.outputs();
    if (names.isEmpty()) {
      return allOutputs;
    }
    int[] wanted = new int[names.size()];
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = List.of(outputNames).indexOf(names.get(i));
      if (wanted[i] < 0) {
        throw ServingException.invalidArgument(
            "Model "
                + model
                + " has no output '"
                + names.get(i)
                + "'; it has "
                + List.of(outputNames));
      }
    }
    return wanted;
  }

  /**
   * @throws ServingException if the answer would be bigger than 2 GB
   */
  void requireRoom(int[] wanted, int rows) {
    for (int output : wanted) {
      if ((long) outputBytes[output] * rows > Integer.MAX_VALUE - 8) {
        throw ServingException.invalidArgument(
            "Output '" + outputNames[output] + "' for " + rows + " examples has over 2 GB");
      }
    }
  }

  /** Where an answer is gathered. */
  byte[][] room(int[] wanted, int rows) {
    byte[][] room = new byte[wanted.length][];
    for (int i = 0; i < wanted.length; i++) {
      room[i] = new byte[outputBytes[wanted[i]] * rows];
    }
    return room;
  }

  /** Brings the first output of an answer to rows of a table to the table's units. */
  static void restore(LoadedVersion version, int[] wanted, byte[][] bytes) {
    for (int i = 0; i < wanted.length; i++) {
      if (wanted[i] == 0) {
        version.restore(bytes[i]);
      }
    }
  }

  /** The answer's tensors, over these bytes. */
  Map<String, TensorValue> outputs(int[] wanted, byte[][] bytes, int rows) {
    if (wanted.length == 1) {
      return Map.of(outputNames[wanted[0]], value(wanted[0], bytes[0], rows));
    }
    Map<String, TensorValue> outputs = new LinkedHashMap<>();
    for (int i = 0; i < wanted.length; i++) {
      outputs.put(outputNames[wanted[i]], value(wanted[i], bytes[i], rows));
    }
    return java.util.Collections.unmodifiableMap(outputs);
  }

  private TensorValue value(int output, byte[] bytes, int rows) {
    long[] shape = outputShapes[output].clone();
    shape[0] = rows;
    return new TensorValue(outputTypes[output], shape, ByteBuffer.wrap(bytes));
  }
}
