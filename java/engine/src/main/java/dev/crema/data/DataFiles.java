package dev.crema.data;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;

/** Tells by a path and the first bytes what kind of data it is, and opens it. */
final class DataFiles {
  private static final String SUPPORTED =
      "Supported are a delimited text file (.csv, .tsv, .txt, .data, gzip or not), a folder or"
          + " name prefix of IDX files (train-images-idx3-ubyte…), NPZ or NPY files (x and y, or"
          + " x_train and y_train), and a folder with one folder of PNG or JPEG images for each"
          + " class.";

  private DataFiles() {}

  private enum Kind {
    TABLE,
    IDX,
    ARRAYS,
    IMAGES
  }

  static LoadedData open(Path path, DataOptions options) {
    return naming(path, () -> openKind(path, options));
  }

  static Dataset open(Path path, Preprocessing preprocessing, DataOptions options) {
    return naming(path, () -> openKind(path, preprocessing, options, true));
  }

  static Dataset unlabelled(Path path, Preprocessing preprocessing, DataOptions options) {
    return naming(path, () -> openKind(path, preprocessing, options, false));
  }

  /** Puts the path before messages of checks that don't know where their data came from. */
  private static <T> T naming(Path path, Supplier<T> open) {
    try {
      return open.get();
    } catch (CremaException e) {
      if (e.getMessage().contains(path.toString())) {
        throw e;
      }
      throw new CremaException(path + ": " + e.getMessage(), e);
    }
  }

  private static LoadedData openKind(Path path, DataOptions options) {
    return switch (kind(path)) {
      case TABLE -> Csv.open(path, options);
      case ARRAYS -> ArrayFiles.open(path, options);
      case IMAGES -> ImageFolder.open(path, options);
      case IDX -> idx(path, options);
    };
  }

  /**
   * @param targets whether targets of a table are read
   */
  private static Dataset openKind(
      Path path, Preprocessing preprocessing, DataOptions options, boolean targets) {
    Kind kind = kind(path);
    if (preprocessing instanceof TablePreprocessing table) {
      if (kind != Kind.TABLE) {
        throw new CremaException(
            path + " is no table, but the model was trained with one: " + table.fileColumns());
      }
      return Csv.open(path, table, options, targets);
    }
    ArrayPreprocessing known = (ArrayPreprocessing) preprocessing;
    return switch (kind) {
      case TABLE ->
          throw new CremaException(
              path
                  + " is a table, but the model was trained with examples of shape "
                  + known.inputShape()
                  + ". Predict for its rows instead of evaluating it.");
      case ARRAYS -> ArrayFiles.open(path, known, options);
      case IMAGES -> ImageFolder.open(path, known, options);
      case IDX -> idx(path, known);
    };
  }

  private static Kind kind(Path path) {
    String name = path.toString().toLowerCase(Locale.ROOT);
    if (Files.isDirectory(path)) {
      if (Mnist.isIn(path)) {
        return Kind.IDX;
      }
      if (ArrayFiles.isIn(path)) {
        return Kind.ARRAYS;
      }
      if (ImageFolder.isIn(path)) {
        return Kind.IMAGES;
      }
      throw new CremaException("The folder " + path + " holds no data that is known. " + SUPPORTED);
    }
    if (!Files.exists(path)) {
      Path dir = path.toAbsolutePath().getParent();
      if (dir != null && Files.isDirectory(dir) && Mnist.isPrefix(path)) {
        return Kind.IDX;
      }
      throw new CremaException("There is no file or folder " + path + ". " + SUPPORTED);
    }
    if (name.endsWith(".npz") || name.endsWith(".npy") || name.endsWith(".npy.gz")) {
      return Kind.ARRAYS;
    }
    byte[] first = firstBytes(path);
    if (first.length >= 4 && first[0] == 0 && first[1] == 0) {
      return Kind.IDX;
    }
    if (TextEncoding.isMarked(first)) {
      return Kind.TABLE;
    }
    for (byte b : first) {
      if (b >= 0 && b < ' ' && b != '\n' && b != '\r' && b != '\t') {
        throw new CremaException(path + " is no data that is known. " + SUPPORTED);
      }
    }
    return Kind.TABLE;
  }

  private static byte[] firstBytes(Path path) {
    try (InputFiles.Input in = InputFiles.open(path)) {
      return in.stream().readNBytes(64);
    } catch (IOException e) {
      throw InputFiles.unreadable(path.toString(), e);
    }
  }

  private static LoadedData idx(Path path, DataOptions options) {
    Mnist digits =
        Files.isRegularFile(path) ? new Mnist(Mnist.withLabels(path), null) : Mnist.load(path);
    IndexedDataset train = digits.train();
    ArrayPreprocessing preprocessing =
        new ArrayPreprocessing(
            train.inputs().get(0).shape(),
            train.hasPixels() ? ArrayPreprocessing.PIXEL : 1,
            train.classNames());
    return LoadedData.of(train, null, digits.test(), preprocessing, options);
  }

  /** The test part of a folder, or one file with its labels if they are there. */
  private static Dataset idx(Path path, ArrayPreprocessing known) {
    IndexedDataset data;
    if (Files.isRegularFile(path)) {
      data = Mnist.hasLabels(path) ? Mnist.withLabels(path) : Mnist.unlabelled(path);
    } else {
      Mnist digits = Mnist.load(path);
      data = digits.test() != null ? digits.test() : digits.train();
    }
    if (!data.inputs().get(0).shape().equals(known.inputShape())) {
      throw new CremaException(
          path
              + " has examples of shape "
              + data.inputs().get(0).shape()
              + ", the model takes "
              + known.inputShape());
    }
    if (data.target() == null) {
      return data;
    }
    if (data.classNames().size() > known.classNames().size()) {
      throw new CremaException(
          path
              + " has the class "
              + (data.classNames().size() - 1)
              + ", the model knows "
              + known.classNames().size()
              + " classes");
    }
    return data.withClassNames(known.classNames());
  }
}
