package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.data.ArrayPreprocessing;
import dev.crema.data.DataOptions;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.LoadedData;
import dev.crema.data.Mnist;
import dev.crema.data.Preprocessing;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** Opens what {@code --data} names: files, or the digits that Crema ships. */
final class Examples {
  /** For the help of options. */
  static final String DATA =
      "File or folder with the examples; crema:mnist and crema:mnist-10x10 are the digits that"
          + " Crema ships.";

  private static final String SHIPPED = "crema:";
  private static final double PIXEL = 1.0 / 255;

  private Examples() {}

  /** The digits that Crema ships, in two sizes. */
  enum Digits {
    FULL("mnist", Mnist::sample),
    SMALL("mnist-10x10", Mnist::sample10x10);

    private final String id;
    private final Supplier<Mnist> source;

    Digits(String id, Supplier<Mnist> source) {
      this.id = id;
      this.source = source;
    }

    Mnist open() {
      return source.get();
    }

    /** What is to be saved with a model that is trained on them. */
    static Preprocessing preprocessing(Mnist digits) {
      return new ArrayPreprocessing(
          digits.train().inputs().get(0).shape(), PIXEL, digits.train().classNames());
    }

    @Override
    public String toString() {
      return SHIPPED + id;
    }
  }

  /** Null if the path is one of files. */
  private static Digits shipped(Path data) {
    if (!data.toString().startsWith(SHIPPED)) {
      return null;
    }
    return Arrays.stream(Digits.values())
        .filter(d -> d.toString().equals(data.toString()))
        .findFirst()
        .orElseThrow(
            () ->
                new CremaException(
                    "Crema ships no data '" + data + "', only " + List.of(Digits.values())));
  }

  /** As {@link Datasets#open(Path, DataOptions)}. */
  static LoadedData open(Path data, DataOptions options) {
    Digits named = shipped(data);
    if (named == null) {
      return Datasets.open(data, options);
    }
    Mnist digits = named.open();
    Dataset train = digits.train();
    Dataset held = null;
    if (options.validationSplit() > 0) {
      Dataset.Split split = train.split(options.validationSplit(), options.seed());
      train = split.train();
      held = split.validation();
    }
    Preprocessing learnt = Digits.preprocessing(digits);
    return new LoadedData(train, held, digits.test(), learnt, List.of(), 0, List.of());
  }

  /** As {@link Datasets#open(Path, Preprocessing, DataOptions)}. */
  static Dataset open(Path data, Preprocessing known, DataOptions options) {
    Digits named = shipped(data);
    if (named == null) {
      return Datasets.open(data, known, options);
    }
    Mnist digits = named.open();
    if (!known.equals(Digits.preprocessing(digits))) {
      throw new CremaException(
          data
              + " holds "
              + digits.train().inputs().get(0).shape()
              + " pixels of ten digits, but the model was trained with "
              + known.toJson());
    }
    return digits.test();
  }
}
