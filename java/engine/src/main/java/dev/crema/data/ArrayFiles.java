package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Examples in NPY and NPZ files. Inputs and targets are found by the names that are usual for them:
 * x and y, x_train and y_train, data and target, images and labels, and so on.
 */
final class ArrayFiles {
  private static final String END = ".npy";
  private static final List<String> INPUTS = List.of("x", "images", "data", "features", "inputs");
  private static final List<String> TARGETS =
      List.of("y", "labels", "label", "target", "targets", "classes");
  private static final List<String> TRAIN = List.of("", "train");
  private static final List<String> VALIDATION = List.of("val", "valid", "validation");
  private static final List<String> TEST = List.of("test");

  private ArrayFiles() {}

  static boolean isIn(Path dir) {
    return find(arrays(dir), TRAIN, INPUTS) != null;
  }

  static LoadedData open(Path place, DataOptions options) {
    if (place.toString().toLowerCase(Locale.ROOT).endsWith(".npz")) {
      try (Npz npz = Npz.open(place)) {
        return open(place, arrays(npz), options);
      }
    }
    if (Files.isDirectory(place)) {
      return open(place, arrays(place), options);
    }
    return open(place, pairOf(place), options);
  }

  /** For a model that is trained already; without targets if there are none. */
  static Dataset open(Path place, ArrayPreprocessing known, DataOptions options) {
    Part part;
    if (place.toString().toLowerCase(Locale.ROOT).endsWith(".npz")) {
      try (Npz npz = Npz.open(place)) {
        part = evaluated(place, arrays(npz));
      }
    } else {
      part = evaluated(place, Files.isDirectory(place) ? arrays(place) : pairOf(place));
    }
    Dataset data = dataset(part, known.classNames(), options.task());
    Shape shape = data.inputs().get(0).shape();
    if (!shape.equals(known.inputShape())) {
      throw new CremaException(
          place + " has examples of shape " + shape + ", the model takes " + known.inputShape());
    }
    return data;
  }

  private record Part(NpyArray x, NpyArray y) {}

  private static Part evaluated(Path place, Map<String, Supplier<NpyArray>> arrays) {
    Part test = part(arrays, TEST);
    Part part = test != null ? test : part(arrays, TRAIN);
    if (part == null) {
      throw none(place, arrays);
    }
    return part;
  }

  private static LoadedData open(
      Path place, Map<String, Supplier<NpyArray>> arrays, DataOptions options) {
    Part train = part(arrays, TRAIN);
    if (train == null || train.y == null) {
      throw none(place, arrays);
    }
    Part validation = part(arrays, VALIDATION);
    Part test = part(arrays, TEST);
    List<String> names = List.of();
    if (isClassification(train.y, options.task())) {
      List<int[]> labels = new ArrayList<>();
      for (Part part : Arrays.asList(train, validation, test)) {
        if (part != null && part.y != null) {
          labels.add(part.y.ints());
        }
      }
      names = Datasets.numbered(labels.toArray(int[][]::new));
    }
    IndexedDataset data = dataset(train, names, options.task());
    boolean pixels = isPixels(train.x);
    ArrayPreprocessing preprocessing =
        new ArrayPreprocessing(
            data.inputs().get(0).shape(), pixels ? ArrayPreprocessing.PIXEL : 1, names);
    return LoadedData.of(
        data,
        validation == null ? null : dataset(validation, names, options.task()),
        test == null ? null : dataset(test, names, options.task()),
        preprocessing,
        options);
  }

  private static CremaException none(Path place, Map<String, Supplier<NpyArray>> arrays) {
    return new CremaException(
        place
            + " has no arrays named like inputs and targets, such as x and y or x_train and"
            + " y_train; it has "
            + arrays.keySet());
  }

  private static IndexedDataset dataset(Part part, List<String> names, Task task) {
    Shape all = part.x.shape();
    if (all.rank() == 0) {
      throw new CremaException(part.x.name() + " is a single number; expected [n, …]");
    }
    if (all.dim(0) > Integer.MAX_VALUE) {
      throw new CremaException(part.x.name() + " has more than 2^31-1 examples");
    }
    int n = (int) all.dim(0);
    Shape shape = exampleShape(part.x);
    int width = (int) shape.elements();
    Block x =
        isPixels(part.x)
            ? new Block.Pixels(part.x.unsignedBytes(), width)
            : new Block.Floats(part.x.floats(), width);
    if (part.y == null) {
      return Datasets.unlabelled(shape, x, n);
    }
    if (part.y.shape().rank() == 0 || part.y.shape().dim(0) != n) {
      throw new CremaException(
          part.x.name() + " has " + n + " examples, but the targets are " + part.y.shape());
    }
    if (isClassification(part.y, task)) {
      return Datasets.classified(shape, x, n, part.y.ints(), names);
    }
    int k = n == 0 ? 1 : part.y.elements() / n;
    return IndexedDataset.of(
        List.of(Slots.input(shape)),
        Slots.valueTarget(k),
        List.of(),
        List.of(x, new Block.Floats(part.y.floats(), k)),
        n,
        new BadRows(false));
  }

  /** Bytes with two axes or more an example are images. */
  private static boolean isPixels(NpyArray x) {
    return x.type() == NpyArray.Type.U1 && x.shape().rank() >= 3;
  }

  private static Shape exampleShape(NpyArray x) {
    long[] dims = Arrays.copyOfRange(x.shape().dims(), 1, x.shape().rank());
    if (dims.length == 0) {
      return Shape.of(1);
    }
    boolean channelless = isPixels(x) && dims.length == 2;
    return channelless ? Shape.of(dims[0], dims[1], 1) : Shape.of(dims);
  }

  private static boolean isClassification(NpyArray y, Task task) {
    long n = y.shape().rank() == 0 ? 0 : y.shape().dim(0);
    boolean one = y.shape().elements() == n;
    return switch (task) {
      case CLASSIFICATION -> {
        if (!one) {
          throw new CremaException(
              y.name() + " has shape " + y.shape() + "; classes are one number an example");
        }
        yield true;
      }
      case REGRESSION -> false;
      case AUTO -> one && !y.type().isFloating();
    };
  }

  private static Part part(Map<String, Supplier<NpyArray>> arrays, List<String> parts) {
    Supplier<NpyArray> x = find(arrays, parts, INPUTS);
    Supplier<NpyArray> y = find(arrays, parts, TARGETS);
    return x == null ? null : new Part(x.get(), y == null ? null : y.get());
  }

  /** The array whose name is made of a part and a role, in whatever order, or null. */
  private static Supplier<NpyArray> find(
      Map<String, Supplier<NpyArray>> arrays, List<String> parts, List<String> roles) {
    for (String part : parts) {
      for (String role : roles) {
        for (Map.Entry<String, Supplier<NpyArray>> array : arrays.entrySet()) {
          String name = array.getKey().toLowerCase(Locale.ROOT).replaceAll("[-_. ]", "");
          if (name.equals(role + part) || name.equals(part + role)) {
            return array.getValue();
          }
        }
      }
    }
    return null;
  }

  private static Map<String, Supplier<NpyArray>> arrays(Npz npz) {
    Map<String, Supplier<NpyArray>> arrays = new LinkedHashMap<>();
    npz.names().forEach(name -> arrays.put(name, () -> npz.array(name)));
    return arrays;
  }

  private static Map<String, Supplier<NpyArray>> arrays(Path dir) {
    try (Stream<Path> list = Files.list(dir)) {
      Map<String, Supplier<NpyArray>> arrays = new LinkedHashMap<>();
      list.filter(file -> file.toString().endsWith(END))
          .sorted()
          .forEach(file -> arrays.put(stem(file), () -> Npy.read(file)));
      return arrays;
    } catch (IOException e) {
      throw InputFiles.unreadable(dir.toString(), e);
    }
  }

  /**
   * A file of inputs with the targets beside it: x.npy and y.npy, images-1.npy and labels-1.npy.
   */
  private static Map<String, Supplier<NpyArray>> pairOf(Path file) {
    Map<String, Supplier<NpyArray>> arrays = new LinkedHashMap<>();
    arrays.put("x", () -> Npy.read(file));
    String stem = stem(file);
    for (int i = 0; i < INPUTS.size(); i++) {
      for (String target : TARGETS) {
        String input = "(?i)(^|[-_. ])" + INPUTS.get(i) + "($|[-_. ])";
        String other = stem.replaceFirst(input, "$1" + target + "$2");
        Path sibling = file.resolveSibling(other + END);
        if (!other.equals(stem) && Files.exists(sibling)) {
          arrays.putIfAbsent("y", () -> Npy.read(sibling));
        }
      }
    }
    return arrays;
  }

  private static String stem(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(END) ? name.substring(0, name.length() - END.length()) : name;
  }
}
