package dev.crema.serving.inference;

import java.util.List;

/**
 * What a model takes and gives.
 *
 * @param labels names of the classes that the first output's last axis stands for; empty where it
 *     is no classifier
 * @param columns of the table that it learnt from: a request may give rows of these instead of the
 *     input, see {@link InferenceRequest#rows}; empty where it learnt from no table
 * @param pixelScale what its training multiplied bytes of images by, 1/255 as a rule: inputs that
 *     come as UINT8 are multiplied by it, floats are taken as the model computes with them; 1 where
 *     it learnt from no bytes
 */
public record Signature(
    List<TensorSpec> inputs,
    List<TensorSpec> outputs,
    List<String> labels,
    List<ColumnSpec> columns,
    double pixelScale) {
  public Signature {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    labels = List.copyOf(labels);
    columns = List.copyOf(columns);
  }

  /** The column of that name; one that the model passes over holds texts, as they were sent. */
  public ColumnSpec column(String name) {
    for (ColumnSpec column : columns) {
      if (column.name().equals(name)) {
        return column;
      }
    }
    return new ColumnSpec(name, ColumnSpec.Kind.CATEGORICAL, List.of());
  }

  /**
   * Refuses more rows than make a tensor of that size: as maps and texts they take many times as
   * much while they are read.
   *
   * @param tensorBytes of the biggest tensor that is taken
   */
  public void checkRows(long rows, long tensorBytes) {
    long most = tensorBytes / TensorValue.byteSize(inputs.get(0).type(), width());
    if (rows > most) {
      throw ServingException.invalidArgument(
          "The request has more than "
              + most
              + " rows of the table, which are the "
              + tensorBytes
              + " bytes that this server takes");
    }
  }

  private long width() {
    return Math.max(1, inputs.get(0).elementsPerExample());
  }

  /** Of a model that takes tensors only. */
  public Signature(List<TensorSpec> inputs, List<TensorSpec> outputs, List<String> labels) {
    this(inputs, outputs, labels, List.of(), 1);
  }
}
