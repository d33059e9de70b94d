package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Images and labels in IDX files named like those of MNIST (LeCun, Cortes and Burges, 1998) and its
 * relatives. Pixels become floats in [0, 1], shape [height, width, 1].
 *
 * @param test null if there are no test files
 */
public record Mnist(IndexedDataset train, IndexedDataset test) {
  private static final int SMALL = 10;

  /**
   * Reads {@code …train-images…} and {@code …train-labels…}, and for the test part {@code …t10k-…}
   * or {@code …test-…}.
   *
   * @param place a folder, or the beginning of the file names, as in {@code data/emnist-letters-}
   */
  public static Mnist load(Path place) {
    boolean folder = Files.isDirectory(place);
    Path dir = folder ? place : place.toAbsolutePath().getParent();
    String prefix = folder ? "" : place.getFileName().toString();
    List<Path> files = files(dir);
    Optional<Path> trainImages = find(files, prefix, "train", "images");
    if (trainImages.isEmpty()) {
      throw new CremaException(
          "There is no file like "
              + prefix
              + "train-images-idx3-ubyte(.gz) in "
              + dir
              + ". Name the folder, or the beginning of the file names.");
    }
    Idx images = Idx.read(trainImages.get());
    int[] labels = labels(files, prefix, "train", images);
    Optional<Path> testImages = find(files, prefix, "(t10k|test)", "images");
    if (testImages.isEmpty()) {
      return new Mnist(dataset(images, labels, Datasets.numbered(labels)), null);
    }
    Idx moreImages = Idx.read(testImages.get());
    int[] moreLabels = labels(files, prefix, "(t10k|test)", moreImages);
    List<String> names = Datasets.numbered(labels, moreLabels);
    return new Mnist(dataset(images, labels, names), dataset(moreImages, moreLabels, names));
  }

  /** Whether a folder holds files that {@link #load} reads. */
  static boolean isIn(Path dir) {
    return find(files(dir), "", "train", "images").isPresent();
  }

  /** Whether a path is the beginning of file names that {@link #load} reads. */
  static boolean isPrefix(Path path) {
    List<Path> files = files(path.toAbsolutePath().getParent());
    return find(files, path.getFileName().toString(), "train", "images").isPresent();
  }

  /** Whether a file of labels lies beside a file of images. */
  static boolean hasLabels(Path images) {
    return labelsBeside(images) != null;
  }

  /** The images of one file with the labels beside it. */
  static IndexedDataset withLabels(Path images) {
    Path labelFile = labelsBeside(images);
    if (labelFile == null) {
      throw new CremaException(
          "There are no labels beside "
              + images
              + "; expected a file named alike, with labels instead of images");
    }
    Idx pixels = Idx.read(images);
    int[] labels = labels(labelFile, pixels);
    return dataset(pixels, labels, Datasets.numbered(labels));
  }

  /** The images of one file. */
  static IndexedDataset unlabelled(Path images) {
    Idx pixels = Idx.read(images);
    return Datasets.unlabelled(shape(pixels), pixels.block(), pixels.dims()[0]);
  }

  private static Path labelsBeside(Path images) {
    String name = images.getFileName().toString();
    String stem = name.replaceAll("\\.gz$", "").replace("images", "labels").replace("idx3", "idx1");
    for (String other : List.of(stem, stem + ".gz")) {
      if (!other.equals(name) && Files.isRegularFile(images.resolveSibling(other))) {
        return images.resolveSibling(other);
      }
    }
    return null;
  }

  /** The digits that are shipped with Crema: 8,000 to train, 2,000 to test, 28×28. */
  public static Mnist sample() {
    List<String> names = Datasets.numbered(new int[] {9});
    return new Mnist(
        dataset(resource("train-images-idx3"), resource("train-labels-idx1").labels(), names),
        dataset(resource("test-images-idx3"), resource("test-labels-idx1").labels(), names));
  }

  /** The shipped digits averaged down to 10×10, as 100 inputs. */
  public static Mnist sample10x10() {
    Mnist full = sample();
    return new Mnist(small(full.train), small(full.test));
  }

  private static IndexedDataset small(IndexedDataset digits) {
    Shape shape = digits.inputs().get(0).shape();
    RowFunction average =
        Images.averageDown((int) shape.dim(0), (int) shape.dim(1), SMALL, SMALL, 1);
    return digits.map(Slots.INPUT, Shape.of(SMALL * SMALL), average).cached();
  }

  private static Idx resource(String name) {
    String path = "mnist10k/" + name + "-ubyte.gz";
    try (InputStream in = Mnist.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new CremaException("The digits are missing from Crema's jar: " + path);
      }
      byte[] file = in.readAllBytes();
      return Idx.read(InputFiles.open(new ByteArrayInputStream(file), file.length, path));
    } catch (IOException e) {
      throw InputFiles.unreadable(path, e);
    }
  }

  /** Images of an IDX file with their labels. */
  static IndexedDataset dataset(Idx images, int[] labels, List<String> classNames) {
    return Datasets.classified(shape(images), images.block(), images.dims()[0], labels, classNames);
  }

  /** The shape of one image: a channel axis is put behind height and width. */
  static Shape shape(Idx images) {
    int[] dims = images.dims();
    long[] shape = Arrays.stream(dims).skip(1).asLongStream().toArray();
    if (dims.length < 2) {
      throw new CremaException(
          images.name() + " has one axis only; images have [n, height, width]");
    }
    if (dims.length == 3) {
      return Shape.of(shape[0], shape[1], 1);
    }
    return Shape.of(shape);
  }

  private static int[] labels(List<Path> files, String prefix, String part, Idx images) {
    Path file =
        find(files, prefix, part, "labels")
            .orElseThrow(
                () ->
                    new CremaException(
                        "There are images but no labels: expected a file like "
                            + Path.of(images.name())
                                .getFileName()
                                .toString()
                                .replace("images", "labels")
                                .replace("idx3", "idx1")
                            + " beside "
                            + images.name()));
    return labels(file, images);
  }

  private static int[] labels(Path file, Idx images) {
    int[] labels = Idx.read(file).labels();
    if (labels.length != images.dims()[0]) {
      throw new CremaException(
          images.name()
              + " has "
              + images.dims()[0]
              + " images but "
              + file
              + " has "
              + labels.length
              + " labels");
    }
    return labels;
  }

  private static List<Path> files(Path dir) {
    if (dir == null || !Files.isDirectory(dir)) {
      throw new CremaException("There is no folder " + dir);
    }
    try (Stream<Path> list = Files.list(dir)) {
      return list.sorted().toList();
    } catch (IOException e) {
      throw InputFiles.unreadable(dir.toString(), e);
    }
  }

  private static Optional<Path> find(List<Path> files, String prefix, String part, String what) {
    Pattern name =
        Pattern.compile(
            Pattern.quote(prefix) + ".*" + part + "[-_]" + what + "[-_.]?(idx\\d)?.*",
            Pattern.CASE_INSENSITIVE);
    List<Path> found =
        files.stream().filter(f -> name.matcher(f.getFileName().toString()).matches()).toList();
    if (found.size() > 1 && !sameBut(found)) {
      throw new CremaException(
          "Several files could be the "
              + what
              + ": "
              + found
              + ". Give the beginning of the names instead of the folder.");
    }
    return found.stream().findFirst();
  }

  /** Whether the files differ only by being compressed. */
  private static boolean sameBut(List<Path> files) {
    return files.stream().map(f -> f.toString().replaceAll("\\.gz$", "")).distinct().count() == 1;
  }
}
