package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Images in folders named by their class: {@code dir/class/image.png}. The classes are numbered in
 * order of their names. Parts may stand apart as {@code dir/train}, {@code dir/val} and {@code
 * dir/test}. Images are decoded when their turn comes, in every epoch.
 */
public final class ImageFolder {
  private static final List<String> TRAIN = List.of("train", "training");
  private static final List<String> VALIDATION = List.of("val", "valid", "validation");
  private static final List<String> TEST = List.of("test", "testing");

  private ImageFolder() {}

  /** Whether a folder holds images, or folders with images. */
  static boolean isIn(Path dir) {
    try (Stream<Path> found =
        Files.find(dir, 3, (path, attributes) -> attributes.isRegularFile() && isImage(path))) {
      return found.findAny().isPresent();
    } catch (IOException e) {
      throw InputFiles.unreadable(dir.toString(), e);
    }
  }

  /**
   * Opens a folder to train with.
   *
   * @throws CremaException if there are no classes or no images
   */
  public static LoadedData open(Path dir, DataOptions options) {
    Path train = child(dir, TRAIN);
    Path validation = child(dir, VALIDATION);
    Path test = child(dir, TEST);
    boolean parts = train != null && (validation != null || test != null);
    Path root = parts ? train : dir;
    List<String> names = classNames(root);
    if (names.size() < 2) {
      throw new CremaException(
          root + " has " + names.size() + " folders with images; each class needs one of its own");
    }
    List<Entry> entries = entries(root, names);
    Shape shape =
        options.imageShape() != null
            ? options.imageShape()
            : ImageFile.shape(entries.get(0).file());
    ArrayPreprocessing preprocessing =
        new ArrayPreprocessing(shape, ArrayPreprocessing.PIXEL, names);
    return LoadedData.of(
        dataset(entries, shape, names, options),
        parts && validation != null ? labelled(validation, preprocessing, options) : null,
        parts && test != null ? labelled(test, preprocessing, options) : null,
        preprocessing,
        options);
  }

  /**
   * Opens a folder for a model that is trained already: with folders named by its classes, or just
   * with images, which gives a dataset without target in order of the file names.
   */
  public static Dataset open(Path dir, ArrayPreprocessing preprocessing, DataOptions options) {
    Shape shape = preprocessing.inputShape();
    if (shape.rank() != 3 || shape.dim(2) != 1 && shape.dim(2) != 3) {
      throw new CremaException(dir + " holds images, but the model takes the shape " + shape);
    }
    if (!classNames(dir).isEmpty()) {
      return labelled(dir, preprocessing, options);
    }
    List<Path> files = images(dir);
    return IndexedDataset.of(
        List.of(Slots.input(shape)),
        null,
        List.of(),
        List.of(new Pictures(files, shape)),
        files.size(),
        new BadRows(options.skipBadRows()));
  }

  private record Entry(Path file, int label) {}

  private static Dataset labelled(Path dir, ArrayPreprocessing known, DataOptions options) {
    for (String name : classNames(dir)) {
      if (!known.classNames().contains(name)) {
        throw new CremaException(
            dir.resolve(name) + " is not one of the model's classes " + known.classNames());
      }
    }
    List<Entry> entries = entries(dir, known.classNames());
    return dataset(entries, known.inputShape(), known.classNames(), options);
  }

  private static IndexedDataset dataset(
      List<Entry> entries, Shape shape, List<String> classNames, DataOptions options) {
    int[] labels = entries.stream().mapToInt(Entry::label).toArray();
    List<Path> files = entries.stream().map(Entry::file).toList();
    return IndexedDataset.of(
        List.of(Slots.input(shape)),
        Slots.classTarget(),
        classNames,
        List.of(new Pictures(files, shape), new Block.Labels(labels)),
        labels.length,
        new BadRows(options.skipBadRows()));
  }

  private static List<Entry> entries(Path dir, List<String> classNames) {
    List<Entry> entries = new ArrayList<>();
    for (int label = 0; label < classNames.size(); label++) {
      Path folder = dir.resolve(classNames.get(label));
      if (Files.isDirectory(folder)) {
        for (Path file : images(folder)) {
          entries.add(new Entry(file, label));
        }
      }
    }
    return entries;
  }

  private static List<String> classNames(Path dir) {
    return list(dir).stream()
        .filter(folder -> Files.isDirectory(folder) && !images(folder).isEmpty())
        .map(folder -> folder.getFileName().toString())
        .toList();
  }

  private static List<Path> images(Path dir) {
    return list(dir).stream().filter(f -> isImage(f) && Files.isRegularFile(f)).toList();
  }

  private static boolean isImage(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    boolean hidden = name.startsWith(".");
    return !hidden && (name.endsWith(".png") || name.endsWith(".jpg") || name.endsWith(".jpeg"));
  }

  private static Path child(Path dir, List<String> names) {
    return names.stream().map(dir::resolve).filter(Files::isDirectory).findFirst().orElse(null);
  }

  private static List<Path> list(Path dir) {
    try (Stream<Path> files = Files.list(dir)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw InputFiles.unreadable(dir.toString(), e);
    }
  }

  /** Rows that are decoded from files. */
  private record Pictures(List<Path> files, Shape shape) implements Block {
    @Override
    public Cursor open() {
      FloatViews views = new FloatViews();
      int width = (int) shape.elements();
      return (row, target, at) ->
          views.of(target).put(at * width, ImageFile.read(files.get(row), shape), 0, width);
    }
  }
}
