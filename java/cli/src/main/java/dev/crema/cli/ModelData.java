package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.DataOptions;
import dev.crema.data.Dataset;
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

  @Option(names = "--data", required = true, description = Examples.DATA)
  private Path data;

  @Option(names = "--validation", description = "File or folder to measure on.")
  private Path validation;

  @Option(
      names = "--validation-split",
      defaultValue = "0.2",
      description =
          "Part of the data to measure on where the data has none and there is no --validation;"
              + " with the seed of the training those that it did not see (default:"
              + " ${DEFAULT-VALUE}; 0: none).")
  private double validationSplit;

  /** Examples to measure on, by where they come from. */
  enum Held {
    SET_APART("set apart from them"),
    TEST_PART("of its test part"),
    VALIDATION_PART("of its validation part"),
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
   * @param held what to measure on: the examples of --validation, else the data's own test or
   *     validation part, else those set apart; with --validation-split 0 those to train on
   * @param from which of these they are
   * @param test the data's own test part; null if there is none, or it is {@code held}
   */
  record Parts(Dataset train, Dataset held, Held from, Dataset test) {
    /**
     * A sentence that says on which and how many examples the figures are.
     *
     * @param use of those to train on, such as "Training on"
     */
    String describe(String use) {
      return use + " " + count(train) + "; measuring on " + measured();
    }

    /** How many examples the figures are of, and which. */
    String measured() {
      return count(held) + " " + from.words + ".";
    }

    private static String count(Dataset examples) {
      return examples.size() < 0
          ? "a stream of examples"
          : String.format(Locale.ROOT, "%,d examples", examples.size());
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
    return open(model, file, seed, false);
  }

  /** As {@link #open}, but to choose by: the test part is left for what was chosen. */
  Parts openToChoose(Model model, Path file, long seed) {
    return open(model, file, seed, true);
  }

  private Parts open(Model model, Path file, long seed, boolean choose) {
    Preprocessing known = EvaluateCommand.preprocessing(model, file);
    DataOptions options = arguments.options(0, seed);
    Dataset train;
    Dataset own = null;
    Dataset test = null;
    if (known instanceof TablePreprocessing) {
      train = Examples.open(data, known, options);
    } else {
      LoadedData loaded = arrays(known, options, file);
      train = loaded.train();
      own = loaded.validation();
      test = loaded.test();
    }
    if (train.targets().isEmpty()) {
      throw new CremaException(data + " has no labels");
    }
    if (validation != null) {
      Dataset held = Examples.open(validation, known, options);
      return new Parts(train, held, Held.OTHER_FILE, test);
    }
    boolean splits = own == null && validationSplit != 0;
    if (test != null && !(choose && (splits || own != null))) {
      return new Parts(train, test, Held.TEST_PART, null);
    }
    if (own != null) {
      return new Parts(train, own, Held.VALIDATION_PART, test);
    }
    if (!splits) {
      return new Parts(train, train, Held.THE_SAME, null);
    }
    Dataset.Split split = train.split(validationSplit, seed);
    return new Parts(split.train(), split.validation(), Held.SET_APART, test);
  }

  private LoadedData arrays(Preprocessing known, DataOptions options, Path file) {
    LoadedData loaded = Examples.open(data, options);
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
    return loaded;
  }
}
