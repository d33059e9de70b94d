package dev.crema.serving.openinference;

import com.fasterxml.jackson.core.JsonParser;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.protocols.inference.InferTensorContents;
import dev.crema.serving.tensor.TableColumns;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Columns of the table that a model learnt from, each an input of its own: strings as BYTES,
 * numbers and booleans as their types. NaN, null and "" are missing values.
 */
final class ColumnInputs {
  private final Signature signature;
  private final TableColumns columns;

  /**
   * @param tensorBytes of the biggest tensor that rows may make
   */
  ColumnInputs(Signature signature, long tensorBytes) {
    this.signature = signature;
    this.columns = new TableColumns(signature, tensorBytes, "inference input");
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

  /** Whether an input of that name is a column. */
  boolean has(String name) {
    return TableColumns.has(signature, name);
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
    return ColumnValues.of(signature.column(name), datatype).read(columns.rows(name, shape), data);
  }

  List<String> read(String name, String datatype, InferTensorContents contents) {
    return ColumnValues.of(signature.column(name), datatype).read(contents);
  }

  void add(String name, long[] shape, List<String> values) {
    columns.add(name, shape, values);
  }

  /** What the model knows, for messages. */
  String names() {
    return TableColumns.names(signature);
  }

  /** One map a row, by column. */
  List<Map<String, String>> rows() {
    return columns.rows();
  }
}
