package dev.crema.serving.tensorflow;

import com.google.protobuf.ByteString;
import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.protocols.tensorflow.DataType;
import dev.crema.serving.protocols.tensorflow.TensorProto;
import dev.crema.serving.tensor.NumberType;
import dev.crema.serving.tensor.TableColumns;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Columns of the table that a model learnt from, each a tensor of the shape [n] or [n, 1]: strings
 * as DT_STRING, numbers and booleans as their types. NaN and "" are missing values.
 */
final class ColumnTensors {
  private ColumnTensors() {}

  /** Whether tensors are columns: there are some, and none is named as an input of the model. */
  static boolean areColumns(Map<String, TensorProto> sent, Signature signature) {
    return !sent.isEmpty()
        && sent.keySet().stream().allMatch(name -> TableColumns.has(signature, name));
  }

  /** Rows of those columns. */
  static List<Map<String, String>> rows(
      Map<String, TensorProto> sent, Signature signature, long tensorBytes) {
    TableColumns columns = new TableColumns(signature, tensorBytes, "Input");
    sent.forEach(
        (name, tensor) -> {
          long[] shape = TensorProtos.shape(name, tensor.getTensorShape());
          columns.rows(name, shape); // no more than are taken: a few bytes may stand for many
          columns.add(name, shape, values(signature.column(name), tensor, shape));
        });
    return columns.rows();
  }

  private static List<String> values(ColumnSpec column, TensorProto tensor, long[] shape) {
    if (tensor.getDtype() == DataType.DT_STRING) {
      return strings(column.name(), tensor, shape);
    }
    NumberType type =
        DataTypes.numbers(tensor.getDtype())
            .orElseThrow(
                () ->
                    TensorProtos.refused(
                        column.name(),
                        "is "
                            + tensor.getDtype()
                            + "; a column of the table takes DT_STRING, numbers or DT_BOOL"));
    ByteBuffer data = TensorProtos.numbers(column.name(), tensor, type, shape);
    List<String> values = new ArrayList<>();
    while (data.hasRemaining()) {
      values.add(column.text(type.text(data)));
    }
    return values;
  }

  /** One string for each row, or one for all. */
  private static List<String> strings(String name, TensorProto tensor, long[] shape) {
    if (!tensor.getTensorContent().isEmpty()) {
      throw TensorProtos.refused(name, "has strings in tensor_content; string_val holds them");
    }
    int given = tensor.getStringValCount();
    if (given != shape[0] && (given != 1 || shape[0] == 0)) {
      throw TensorProtos.refused(
          name,
          "of shape "
              + Arrays.toString(shape)
              + " takes "
              + shape[0]
              + " values of DT_STRING, got "
              + given);
    }
    List<String> values = new ArrayList<>();
    for (int row = 0; row < shape[0]; row++) {
      values.add(utf8(name, row, tensor.getStringVal(given == 1 ? 0 : row)));
    }
    return values;
  }

  private static String utf8(String name, int row, ByteString text) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(text.asReadOnlyByteBuffer()).toString();
    } catch (CharacterCodingException e) {
      throw TensorProtos.refused(name, "has a string at row " + row + " that is not UTF-8");
    }
  }
}
