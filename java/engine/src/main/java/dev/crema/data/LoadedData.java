package dev.crema.data;

import java.util.List;

/**
 * What was opened for training.
 *
 * @param validation null if none was set apart
 * @param test null if the source has none
 * @param preprocessing what was learnt from the training part; saved with the model
 * @param notes decisions that the user should know of, one sentence each
 * @param badRows rows left out when it was opened
 * @param columns what was done with each column of a table; empty for other data
 */
public record LoadedData(
    Dataset train,
    Dataset validation,
    Dataset test,
    Preprocessing preprocessing,
    List<String> notes,
    long badRows,
    List<ColumnUse> columns) {
  public LoadedData {
    notes = List.copyOf(notes);
    columns = List.copyOf(columns);
  }

  /** Sets a validation part apart if the options ask for it and the source has none. */
  static LoadedData of(
      Dataset train,
      Dataset validation,
      Dataset test,
      Preprocessing preprocessing,
      DataOptions options) {
    if (validation == null && options.validationSplit() > 0) {
      Dataset.Split split = train.split(options.validationSplit(), options.seed());
      return new LoadedData(
          split.train(), split.validation(), test, preprocessing, List.of(), 0, List.of());
    }
    return new LoadedData(train, validation, test, preprocessing, List.of(), 0, List.of());
  }
}
