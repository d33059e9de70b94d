package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.data.DataOptions;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.LoadedData;
import dev.crema.data.Preprocessing;
import dev.crema.data.TablePreprocessing;
import dev.crema.nn.Model;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The data that a saved model is trained further and measured on. */
final class ModelData {
  @Mixin private DataArguments arguments;

  @Option(names = "--data", required = true, description = "File or folder with the examples.")
  private Path data;

  @Option(names = "--validation", description = "File or folder to measure on.")
  private Path validation;

  @Option(
      names = "--validation-split",
      defaultValue = "0.2",
      description =
          "Part of the data to measure on where there is no other; with the seed of the training"
              + " those that it did not see (default: ${DEFAULT-VALUE}; 0: none).")
  private double validationSplit;

  /**
   * Examples as a model takes them.
   *
   * @param held what to measure on: the examples of --validation, else those set apart, else the
   *     data's own test part, else those to train on
   */
  record Parts(Dataset train, Dataset held) {}

  /**
   * Reads them with what the model's training learnt of its data.
   *
   * @param file of the model, for messages
   * @throws CremaException if the data does not fit the model or has no labels
   */
  Parts open(Model model, Path file, long seed) {
    Preprocessing known = EvaluateCommand.preprocessing(model, file);
    double split = validation == null ? validationSplit : 0;
    DataOptions options = arguments.options(split, seed);
    Parts parts =
        known instanceof TablePreprocessing ? table(known, options) : arrays(known, options, file);
    if (parts.train.targets().isEmpty()) {
      throw new CremaException(data + " has no labels");
    }
    return validation == null
        ? parts
        : new Parts(parts.train, Datasets.open(validation, known, options));
  }

  private Parts table(Preprocessing known, DataOptions options) {
    Dataset all = Datasets.open(data, known, options);
    if (options.validationSplit() == 0) {
      return new Parts(all, all);
    }
    Dataset.Split split = all.split(options.validationSplit(), options.seed());
    return new Parts(split.train(), split.validation());
  }

  private Parts arrays(Preprocessing known, DataOptions options, Path file) {
    LoadedData loaded = Datasets.open(data, options);
    if (!loaded.preprocessing().toJson().equals(known.toJson())) {
      throw new CremaException(
          data
              + " is not like the data that "
              + file
              + " was trained with: it would be prepared as "
              + loaded.preprocessing().toJson()
              + ", that was as "
              + known.toJson());
    }
    Dataset held = loaded.validation() != null ? loaded.validation() : loaded.test();
    return new Parts(loaded.train(), held != null ? held : loaded.train());
  }
}
