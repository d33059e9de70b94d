package dev.crema.serving.tensorflow;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.protocols.tensorflow.Example;
import dev.crema.serving.protocols.tensorflow.Feature;
import dev.crema.serving.protocols.tensorflow.serving.Input;
import dev.crema.serving.tensor.JsonFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rows of the table that a model learnt from, instead of tensors: one value for each column, as
 * text, null for a missing one. Which values a column takes is its model's to say.
 */
final class TableRows {
  private TableRows() {}

  /**
   * Objects of columns. The current token is the first in the first of them; the last read ends
   * their list.
   */
  static List<Map<String, String>> rows(JsonParser json, Signature signature, long tensorBytes)
      throws IOException {
    List<Map<String, String>> rows = new ArrayList<>();
    JsonToken t = JsonToken.START_OBJECT;
    JsonToken field = json.currentToken();
    for (; t != JsonToken.END_ARRAY; t = json.nextToken()) {
      if (t != JsonToken.START_OBJECT) {
        throw ServingException.invalidArgument(
            "Expecting object but got "
                + JsonFormat.describe(json)
                + " at item "
                + rows.size()
                + " of 'instances' list");
      }
      Map<String, String> row = new HashMap<>();
      field = rows.isEmpty() ? field : json.nextToken();
      for (; field == JsonToken.FIELD_NAME; field = json.nextToken()) {
        String column = json.currentName();
        json.nextToken();
        if (row.containsKey(column)) {
          throw twice(column, rows.size());
        }
        row.put(column, value(json, signature.column(column), rows.size()));
      }
      rows.add(row);
      signature.checkRows(rows.size(), tensorBytes);
    }
    return rows;
  }

  /** An object of lists, one for each column; the current token is its first column's name. */
  static List<Map<String, String>> columns(JsonParser json, Signature signature, long tensorBytes)
      throws IOException {
    List<Map<String, String>> rows = new ArrayList<>();
    boolean first = true;
    for (JsonToken t = json.currentToken(); t != JsonToken.END_OBJECT; t = json.nextToken()) {
      String column = json.currentName();
      if (json.nextToken() != JsonToken.START_ARRAY) {
        throw ServingException.invalidArgument(
            "Column '"
                + JsonFormat.shortened(column)
                + "' of 'inputs' takes a list, got "
                + JsonFormat.describe(json));
      }
      ColumnSpec spec = signature.column(column);
      int row = 0;
      while (json.nextToken() != JsonToken.END_ARRAY) {
        String value = value(json, spec, row);
        if (first) {
          rows.add(new HashMap<>());
          signature.checkRows(rows.size(), tensorBytes);
        }
        if (row < rows.size() && rows.get(row).containsKey(column)) {
          throw twice(column, row);
        }
        if (row < rows.size()) {
          rows.get(row).put(column, value);
        }
        row++;
      }
      if (row != rows.size()) {
        throw ServingException.invalidArgument(
            "Column '"
                + JsonFormat.shortened(column)
                + "' of 'inputs' has "
                + row
                + " values, others "
                + rows.size());
      }
      first = false;
    }
    return rows;
  }

  private static ServingException twice(String column, int row) {
    return ServingException.invalidArgument(
        "Row " + row + " has the column '" + JsonFormat.shortened(column) + "' twice");
  }

  private static String value(JsonParser json, ColumnSpec column, int row) throws IOException {
    return switch (json.currentToken()) {
      case VALUE_NULL -> null;
      case VALUE_STRING, VALUE_NUMBER_INT, VALUE_TRUE, VALUE_FALSE -> json.getText();
      case VALUE_NUMBER_FLOAT -> column.text(json.getText());
      default ->
          throw ServingException.invalidArgument(
              "Row "
                  + row
                  + ", column '"
                  + JsonFormat.shortened(column.name())
                  + "' takes a string or a number, got "
                  + JsonFormat.describe(json));
    };
  }

  /** Examples whose features are columns. */
  static List<Map<String, String>> of(Input input, Signature signature, long tensorBytes) {
    boolean withContext = input.hasExampleListWithContext();
    Map<String, String> common =
        withContext ? row(input.getExampleListWithContext().getContext(), -1, signature) : Map.of();
    List<Map<String, String>> rows = new ArrayList<>();
    List<Example> examples =
        withContext
            ? input.getExampleListWithContext().getExamplesList()
            : input.getExampleList().getExamplesList();
    signature.checkRows(examples.size(), tensorBytes);
    for (Example example : examples) {
      Map<String, String> row = row(example, rows.size(), signature);
      common.forEach(
          (column, value) -> {
            if (row.containsKey(column)) {
              throw twice(column, rows.size());
            }
            row.put(column, value);
          });
      rows.add(row);
    }
    return rows;
  }

  private static Map<String, String> row(Example example, int index, Signature signature) {
    Map<String, String> row = new HashMap<>();
    example
        .getFeatures()
        .getFeatureMap()
        .forEach(
            (column, feature) -> row.put(column, value(feature, signature.column(column), index)));
    return row;
  }

  private static String value(Feature feature, ColumnSpec column, int index) {
    int count =
        switch (feature.getKindCase()) {
          case BYTES_LIST -> feature.getBytesList().getValueCount();
          case FLOAT_LIST -> feature.getFloatList().getValueCount();
          case INT64_LIST -> feature.getInt64List().getValueCount();
          case KIND_NOT_SET -> 0;
        };
    if (count > 1) {
      throw ServingException.invalidArgument(
          (index < 0 ? "The context" : "Example " + index)
              + ", feature '"
              + JsonFormat.shortened(column.name())
              + "' has "
              + count
              + " values; a column takes one");
    }
    if (count == 0) {
      return null;
    }
    return switch (feature.getKindCase()) {
      case BYTES_LIST -> feature.getBytesList().getValue(0).toStringUtf8();
      case FLOAT_LIST -> column.text(Float.toString(feature.getFloatList().getValue(0)));
      default -> Long.toString(feature.getInt64List().getValue(0));
    };
  }
}
