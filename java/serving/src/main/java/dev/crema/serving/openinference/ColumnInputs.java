package dev.crema.serving.openinference;

import com.fasterxml.jackson.core.JsonParser;
import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.protocols.inference.InferTensorContents;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Columns of the table that a model learnt from, each an input of its own, of the shape [n] or [n,
 * 1]: strings as BYTES, numbers and booleans as their types. NaN, null and "" are missing values.
 * Columns that the model does not know are passed over, as in rows.
 */
final class ColumnInputs {
  private final Signature signature;
  private final long tensorBytes;
  private final Map<String, List<String>> columns = new LinkedHashMap<>();

  /**
   * @param tensorBytes of the biggest tensor that rows may make
   */
  ColumnInputs(Signature signature, long tensorBytes) {
    this.signature = signature;
    this.tensorBytes = tensorBytes;
  }

  /** What metadata say of the columns: {"column.age": "numeric"}. */
  static Map<String, String> properties(Signature signature) {
    Map<String, String> properties = new LinkedHashMap<>();
    signature
        .columns()
        .forEach(
            c -> properties.put("column." + c.name(), c.kind().name().toLowerCase(Locale.ROOT)));
    return properties;
  }

  /** Whether an input of that name is a column: the model knows columns, and no such input. */
  boolean has(String name) {
    return !signature.columns().isEmpty()
        && signature.inputs().stream().noneMatch(i -> i.name().equals(name));
  }

  boolean isEmpty() {
    return columns.isEmpty();
  }

  /** The values in a list, which may be nested; the current token opens it. */
  List<String> read(String name, String datatype, JsonParser json) throws IOException {
    return ColumnValues.of(signature.column(name), datatype).read(json);
  }

  /**
   * Binary values, all of them.
   *
   * @param data little endian
   */
  List<String> read(String name, String datatype, long[] shape, ByteBuffer data) {
    return ColumnValues.of(signature.column(name), datatype).read(rows(name, shape), data);
  }

  List<String> read(String name, String datatype, InferTensorContents contents) {
    return ColumnValues.of(signature.column(name), datatype).read(contents);
  }

  void add(String name, long[] shape, List<String> values) {
    long rows = rows(name, shape);
    if (values.size() != rows) {
      throw ServingException.invalidArgument(
          "inference input '"
              + ColumnValues.shown(name)
              + "' of shape "
              + Arrays.toString(shape)
              + " takes "
              + rows
              + " elements, got "
              + values.size());
    }
    for (Map.Entry<String, List<String>> other : columns.entrySet()) {
      if (other.getValue().size() != rows) {
        throw ServingException.invalidArgument(
            "inference input '"
                + ColumnValues.shown(name)
                + "' has "
                + rows
                + " rows, '"
                + ColumnValues.shown(other.getKey())
                + "' has "
                + other.getValue().size());
      }
    }
    if (columns.put(name, values) != null) {
      throw ServingException.invalidArgument(
          "inference input '" + ColumnValues.shown(name) + "' is given twice");
    }
  }

  private long rows(String name, long[] shape) {
    boolean column = shape.length == 1 || shape.length == 2 && shape[1] == 1;
    if (!column || shape[0] < 0) {
      throw ServingException.invalidArgument(
          "inference input '"
              + ColumnValues.shown(name)
              + "' has the shape "
              + Arrays.toString(shape)
              + "; a column of the table takes [n] or [n, 1]. The model takes the tensors "
              + signature.inputs()
              + " or the columns "
              + names());
    }
    signature.checkRows(shape[0], tensorBytes);
    return shape[0];
  }

  /** What the model knows, for messages. */
  String names() {
    return signature.columns().stream()
        .map(ColumnSpec::name)
        .collect(Collectors.joining(", ", "[", "]"));
  }

  /** One map a row, by column. */
  List<Map<String, String>> rows() {
    int count = columns.values().iterator().next().size();
    if (count == 0) {
      throw ServingException.invalidArgument("the columns of the request have no rows");
    }
    List<Map<String, String>> rows = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Map<String, String> row = new HashMap<>();
      for (Map.Entry<String, List<String>> column : columns.entrySet()) {
        row.put(column.getKey(), column.getValue().get(i));
      }
      rows.add(row);
    }
    return rows;
  }
}
