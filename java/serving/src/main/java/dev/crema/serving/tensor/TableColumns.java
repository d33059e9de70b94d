package dev.crema.serving.tensor;

import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Columns of the table that a model learnt from, as they come one after another, each a tensor of
 * the shape [n] or [n, 1]; they make rows. Columns that the model does not know are passed over by
 * it, as in rows.
 */
public final class TableColumns {
  private final Signature signature;
  private final long tensorBytes;
  private final String input;
  private final Map<String, List<String>> columns = new LinkedHashMap<>();

  /**
   * @param tensorBytes of the biggest tensor that rows may make
   * @param input what messages call an input, as the protocol does
   */
  public TableColumns(Signature signature, long tensorBytes, String input) {
    this.signature = signature;
    this.tensorBytes = tensorBytes;
    this.input = input;
  }

  /** Whether an input of that name is a column: the model knows columns, and no such input. */
  public static boolean has(Signature signature, String name) {
    return !signature.columns().isEmpty()
        && signature.inputs().stream().noneMatch(i -> i.name().equals(name));
  }

  public boolean isEmpty() {
    return columns.isEmpty();
  }

  /**
   * Takes in a column.
   *
   * @param values as text, null or "" for a missing one
   */
  public void add(String name, long[] shape, List<String> values) {
    long rows = rows(name, shape);
    if (values.size() != rows) {
      throw refused(
          name,
          "of shape "
              + Arrays.toString(shape)
              + " takes "
              + rows
              + " elements, got "
              + values.size());
    }
    for (Map.Entry<String, List<String>> other : columns.entrySet()) {
      if (other.getValue().size() != rows) {
        throw refused(
            name,
            "has "
                + rows
                + " rows, '"
                + JsonFormat.shortened(other.getKey())
                + "' has "
                + other.getValue().size());
      }
    }
    if (columns.put(name, values) != null) {
      throw refused(name, "is given twice");
    }
  }

  /** Rows of a column of that shape; throws if it is no column's or there are too many. */
  public long rows(String name, long[] shape) {
    boolean column = shape.length == 1 || shape.length == 2 && shape[1] == 1;
    if (!column || shape[0] < 0) {
      throw refused(
          name,
          "has the shape "
              + Arrays.toString(shape)
              + "; a column of the table takes [n] or [n, 1]. The model takes the tensors "
              + signature.inputs()
              + " or the columns "
              + names(signature));
    }
    signature.checkRows(shape[0], tensorBytes);
    return shape[0];
  }

  /** What the model knows, for messages. */
  public static String names(Signature signature) {
    return signature.columns().stream()
        .map(ColumnSpec::name)
        .collect(Collectors.joining(", ", "[", "]"));
  }

  /** One map a row, by column. */
  public List<Map<String, String>> rows() {
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

  private ServingException refused(String name, String why) {
    return ServingException.invalidArgument(input + " '" + JsonFormat.shortened(name) + "' " + why);
  }
}
