package dev.crema.serving.openinference;

import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.tensor.JsonFormat;
import dev.crema.serving.tensor.NumberType;
import dev.crema.serving.tensor.Widening;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The inputs of a request as they come in: checked, and made into what the model takes. */
final class InferInputs {
  private final Signature signature;
  private final long tensorBytes;
  private final ColumnInputs columns;
  private final Map<String, TensorValue> values = new LinkedHashMap<>();

  /**
   * @param tensorBytes of the biggest tensor that is taken
   */
  InferInputs(Signature signature, long tensorBytes) {
    this.signature = signature;
    this.tensorBytes = tensorBytes;
    this.columns = new ColumnInputs(signature, tensorBytes);
  }

  /** Columns of a table, which may come instead of the model's tensors. */
  ColumnInputs columns() {
    return columns;
  }

  /** What the model has under that name. */
  TensorSpec spec(String name) {
    for (TensorSpec spec : signature.inputs()) {
      if (spec.name().equals(name)) {
        return spec;
      }
    }
    throw ServingException.invalidArgument(
        "unexpected inference input '"
            + JsonFormat.shortened(name)
            + "'; the model takes "
            + signature.inputs());
  }

  /** The type of that name, if the model can take it there. */
  NumberType type(TensorSpec spec, String datatype) {
    return NumberType.named(datatype)
        .filter(t -> Widening.isLossless(t, spec.type()))
        .orElseThrow(
            () ->
                ServingException.invalidArgument(
                    "inference input '"
                        + spec.name()
                        + "' data-type is '"
                        + JsonFormat.shortened(datatype)
                        + "', but the model takes '"
                        + NumberType.of(spec.type())
                        + "'"));
  }

  /** Elements of a shape that a client declares. */
  static long elements(TensorSpec spec, long[] shape) {
    long elements = 1;
    try {
      for (long extent : shape) {
        if (extent < 0) {
          throw ServingException.invalidArgument(
              "inference input '"
                  + spec.name()
                  + "' has a negative extent in its shape "
                  + Arrays.toString(shape));
        }
        elements = Math.multiplyExact(elements, extent);
      }
    } catch (ArithmeticException e) {
      throw ServingException.invalidArgument(
          "inference input '"
              + spec.name()
              + "' of shape "
              + Arrays.toString(shape)
              + " is too big");
    }
    return elements;
  }

  /**
   * @param data little endian, shared
   */
  void add(TensorSpec spec, NumberType type, long[] shape, ByteBuffer data) {
    long elements = elements(spec, shape);
    if (data.remaining() % type.byteSize() != 0 || data.remaining() / type.byteSize() != elements) {
      throw ServingException.invalidArgument(
          "inference input '"
              + spec.name()
              + "' of shape "
              + Arrays.toString(shape)
              + " takes "
              + elements
              + " elements of "
              + type
              + ", got "
              + data.remaining()
              + " bytes, which are "
              + data.remaining() / (double) type.byteSize()
              + " elements");
    }
    if (elements > tensorBytes / spec.type().byteSize()) {
      throw ServingException.invalidArgument(
          "inference input '"
              + spec.name()
              + "' of shape "
              + Arrays.toString(shape)
              + " is bigger than the "
              + tensorBytes
              + " bytes that this server takes");
    }
    TensorValue value =
        new TensorValue(
            spec.type(), shape, Widening.widen(type, data, spec.type(), signature.pixelScale()));
    if (values.put(spec.name(), value) != null) {
      throw ServingException.invalidArgument(
          "inference input '" + spec.name() + "' is given twice");
    }
  }

  /** All tensors; none where rows come instead. */
  Map<String, TensorValue> complete() {
    if (!columns.isEmpty()) {
      if (!values.isEmpty()) {
        throw ServingException.invalidArgument(
            "the request gives tensors, "
                + values.keySet()
                + ", and other inputs, which would be columns of a table; the model takes either "
                + signature.inputs()
                + " or the columns "
                + columns.names());
      }
      return Map.of();
    }
    for (TensorSpec spec : signature.inputs()) {
      if (!values.containsKey(spec.name())) {
        throw ServingException.invalidArgument(
            "inference input '"
                + spec.name()
                + "' is missing; the model takes "
                + signature.inputs()
                + (signature.columns().isEmpty() ? "" : " or the columns " + columns.names()));
      }
    }
    return values;
  }

  /** Rows of a table, instead of tensors; empty if tensors were given. */
  List<Map<String, String>> rows() {
    return columns.isEmpty() ? List.of() : columns.rows();
  }
}
