package dev.crema.bench;

import dev.crema.data.Dataset;
import dev.crema.data.Mnist;
import dev.crema.data.Order;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/** Numbers to compute with: the same for every engine, never zeros. */
public final class Data {
  private Data() {}

  /** Uniform in [-1, 1). */
  public static float[] uniform(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    return values;
  }

  /** As {@link #uniform}, scaled so that products over {@code fan} terms stay near one. */
  public static float[] weights(long seed, int count, int fan) {
    float[] values = uniform(seed, count);
    float scale = (float) Math.sqrt(3.0 / fan);
    for (int i = 0; i < count; i++) {
      values[i] *= scale;
    }
    return values;
  }

  /** Any bytes. */
  public static byte[] bytes(long seed, int count) {
    byte[] values = new byte[count];
    new Random(seed).nextBytes(values);
    return values;
  }

  /** Whole numbers in [0, bound). */
  public static int[] indices(long seed, int count, int bound) {
    return new SplittableRandom(seed).ints(count, 0, bound).toArray();
  }

  /** Examples with their classes. */
  record Batch(float[] x, int[] classes) {}

  /** The first digits of the training set that is shipped, of 10×10 or 28×28 pixels. */
  static Batch digits(boolean small, int rows) {
    return first((small ? Mnist.sample10x10() : Mnist.sample()).train(), rows);
  }

  private static Batch first(Dataset data, int rows) {
    int width = data.inputs().get(0).width();
    ByteBuffer x = direct(4 * rows * width);
    ByteBuffer y = direct(4 * rows);
    try (Dataset.Reader reader = data.reader(Order.sequential())) {
      if (reader.read(List.of(x, y), rows) != rows) {
        throw new IllegalArgumentException("There are fewer than " + rows + " examples");
      }
    }
    float[] examples = new float[rows * width];
    int[] classes = new int[rows];
    x.asFloatBuffer().get(examples);
    y.asIntBuffer().get(classes);
    return new Batch(examples, classes);
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }
}
