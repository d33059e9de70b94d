package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.DataOptions;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.LoadedData;
import dev.crema.data.Preprocessing;
import dev.crema.data.TablePreprocessing;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import java.nio.file.Path;
import java.util.Locale;
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

  /** Examples to measure on, by where they come from. */
  enum Held {
    SET_APART("set apart from them"),
    TEST_PART("of the data's test part"),
    OTHER_FILE("of --validation"),
    THE_SAME("that are the same, which says little about others");

    private final String words;

    Held(String words) {
      this.words = words;
    }
  }

  /**
   * Examples as a model takes them.
   *
   * @param held what to measure on: the examples of --validation, else those set apart, else the
   *     data's own test part, else those to train on
   * @param from which of these they are
   * @param test the data's own test part; null if there is none, or it is {@code held}
   */
  record Parts(Dataset train, Dataset held, Held from, Dataset test) {
    Parts(Dataset train, Dataset held, Held from) {
      this(train, held, from, null);
    }

    /**
     * A sentence that says on which and how many examples the figures are.
     *
     * @param use of those to train on, such as "Training on"
     */
    String describe(String use) {
      return use + " " + count(train) + "; measuring on " + count(held) + " " + from.words + ".";
    }

    private static String count(Dataset examples) {
      return examples.size() < 0
          ? "a stream of examples"
          : String.format(Locale.ROOT, "%,d examples", examples.size());
    }

    /**
     * About that many of the examples to train on, classes in their proportions; all if there are
     * fewer. Of a stream the first ones.
     */
    Dataset sample(int examples, long seed) {
      if (train.size() < 0) {
        return train.take(examples);
      }
      return train.size() <= examples
          ? train
          : train.split((double) examples / train.size(), seed).validation();
    }

    ObjectNode toJson() {
      return Json.mapper()
          .createObjectNode()
          .put("train_examples", train.size())
          .put("measured_examples", held.size())
          .put("measured_on", from.name().toLowerCase(Locale.ROOT));
    }
  }

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
        : new Parts(parts.train, Datasets.open(validation, known, options), Held.OTHER_FILE);
  }

  private Parts table(Preprocessing known, DataOptions options) {
    Dataset all = Datasets.open(data, known, options);
    if (options.validationSplit() == 0) {
      return new Parts(all, all, Held.THE_SAME);
    }
    Dataset.Split split = all.split(options.validationSplit(), options.seed());
    return new Parts(split.train(), split.validation(), Held.SET_APART);
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
    if (loaded.validation() != null) {
      return new Parts(loaded.train(), loaded.validation(), Held.SET_APART, loaded.test());
    }
    return loaded.test() != null
        ? new Parts(loaded.train(), loaded.test(), Held.TEST_PART)
        : new Parts(loaded.train(), loaded.train(), Held.THE_SAME);
  }
}
