package dev.crema.data;

import dev.crema.CremaException;
import dev.crema.memory.ElementType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ObjIntConsumer;

/** How much each class should count in the loss where classes are of different sizes. */
public final class ClassWeights {
  private static final String BALANCED = "balanced";
  private static final int BATCH = 1024;

  private ClassWeights() {}

  /**
   * Weights as a user writes them.
   *
   * @param text {@code balanced}, or {@code NAME=WEIGHT,...}; classes that are not named weigh 1
   * @param dataset of classes, or of labels that each are 0 or 1: their weights are of 1, beside a
   *     weight of 1 for 0
   * @throws CremaException if a name is no class or a weight no positive number
   */
  public static float[] parse(String text, Dataset dataset) {
    boolean labels = dataset.target() != null && dataset.target().type() == ElementType.FLOAT32;
    if (text.strip().equalsIgnoreCase(BALANCED)) {
      return labels ? balancedLabels(dataset) : balanced(dataset);
    }
    List<String> names =
        labels
            ? dataset.target().values().stream().map(Dataset.Value::name).toList()
            : dataset.classNames();
    float[] weights = new float[names.size()];
    Arrays.fill(weights, 1);
    for (String entry : text.split(",")) {
      int equals = entry.lastIndexOf('=');
      String name = equals < 0 ? entry.strip() : entry.substring(0, equals).strip();
      double weight = equals < 0 ? Double.NaN : Numbers.parse(entry.substring(equals + 1).strip());
      if (!(weight >= 0) || Double.isInfinite(weight)) {
        throw new CremaException(
            "Class weights are \"balanced\" or CLASS=WEIGHT,... with weights of at least 0; got \""
                + entry.strip()
                + '"');
      }
      if (!names.contains(name)) {
        throw new CremaException(
            "There is no class \"" + name + "\" to weigh; the classes are " + names);
      }
      weights[names.indexOf(name)] = (float) weight;
    }
    return weights;
  }

  /** Examples of each class; reads a stream once. */
  public static long[] counts(Dataset dataset) {
    if (dataset.target() == null || dataset.target().type() != ElementType.INT32) {
      throw new CremaException("Class weights need classes; the target is " + dataset.target());
    }
    long[] counts = new long[dataset.classNames().size()];
    if (dataset instanceof IndexedDataset indexed) {
      for (int label : indexed.labels()) {
        counts[label]++;
      }
      return counts;
    }
    targets(
        dataset,
        (target, n) -> {
          for (int i = 0; i < n; i++) {
            counts[target.getInt(i * Integer.BYTES)]++;
          }
        });
    return counts;
  }

  /** Absences divided by presences of each label; 1 for a label that is always or never there. */
  private static float[] balancedLabels(Dataset dataset) {
    int width = dataset.target().width();
    long[] present = new long[width];
    long[] rows = new long[1];
    targets(
        dataset,
        (target, n) -> {
          rows[0] += n;
          for (int i = 0; i < n * width; i++) {
            present[i % width] += target.getFloat(i * Float.BYTES) > 0.5f ? 1 : 0;
          }
        });
    float[] weights = new float[width];
    for (int l = 0; l < width; l++) {
      long absent = rows[0] - present[l];
      weights[l] = absent == 0 || present[l] == 0 ? 1 : (float) ((double) absent / present[l]);
    }
    return weights;
  }

  /** Shows the targets of all examples, some rows at a time. */
  private static void targets(Dataset dataset, ObjIntConsumer<ByteBuffer> rows) {
    List<ByteBuffer> buffers = new ArrayList<>();
    dataset.inputs().forEach(slot -> buffers.add(Buffers.direct(slot.rowBytes() * BATCH)));
    ByteBuffer target = Buffers.direct(dataset.target().rowBytes() * BATCH);
    buffers.add(target);
    try (Dataset.Reader reader = dataset.reader(Order.sequential())) {
      for (int n = reader.read(buffers, BATCH); n > 0; n = reader.read(buffers, BATCH)) {
        rows.accept(target, n);
      }
    }
  }

  /** Balanced weights of a dataset's classes; see {@link #balanced(long[])}. */
  public static float[] balanced(Dataset dataset) {
    return balanced(counts(dataset));
  }

  /**
   * n / (k · n_c) for class c, where k is the number of classes that occur (King and Zeng, 2001;
   * scikit-learn's "balanced"). A class without examples has weight 0.
   */
  public static float[] balanced(long[] counts) {
    long n = 0;
    int k = 0;
    for (long count : counts) {
      n += count;
      k += count > 0 ? 1 : 0;
    }
    float[] weights = new float[counts.length];
    for (int c = 0; c < counts.length; c++) {
      weights[c] = counts[c] == 0 ? 0 : (float) ((double) n / ((double) k * counts[c]));
    }
    return weights;
  }
}
