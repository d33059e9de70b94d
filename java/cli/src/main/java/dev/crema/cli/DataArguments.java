package dev.crema.cli;

import dev.crema.data.DataOptions;
import dev.crema.data.Task;
import picocli.CommandLine.Option;

/** How data files are read. */
final class DataArguments {
  @Option(
      names = "--label",
      description =
          "Label column, by name or number from 0 (default: label, class, target or y; else the"
              + " last). Several, with commas: yes-or-no labels, or numbers of a regression.")
  private String label;

  @Option(names = "--ignore", split = ",", description = "Columns to leave out, by name or number.")
  private String[] ignore = {};

  @Option(
      names = "--categorical",
      split = ",",
      description = "Columns whose numbers are names of categories.")
  private String[] categorical = {};

  @Option(
      names = "--task",
      defaultValue = "AUTO",
      description = "${COMPLETION-CANDIDATES} (default: found out from the label).")
  private Task task;

  @Option(names = "--skip-bad-rows", description = "Count rows that cannot be read and go on.")
  private boolean skipBadRows;

  DataOptions options(double validationSplit, long seed) {
    return DataOptions.builder()
        .label(label)
        .ignore(ignore)
        .categorical(categorical)
        .task(task)
        .skipBadRows(skipBadRows)
        .validationSplit(validationSplit)
        .seed(seed)
        .build();
  }
}
