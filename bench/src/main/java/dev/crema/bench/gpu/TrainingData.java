package dev.crema.bench.gpu;

import dev.crema.bench.Data;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * A network from its initial weights and the batch that it is trained on, the same for every
 * engine.
 *
 * @param model makes it; whoever calls closes it
 * @param classes that it tells apart
 */
record TrainingData(Supplier<Model> model, int rows, int classes) {
  private static final int EXAMPLES = 1; // seeds
  private static final int TARGETS = 2;

  /** [rows, width] */
  float[] examples(Model made) {
    long width = made.topology().inputs().get(0).type().elements().perExample();
    return Data.uniform(EXAMPLES, Math.toIntExact(rows * width));
  }

  /** [rows] */
  int[] targets() {
    return Data.indices(TARGETS, rows, classes);
  }

  /**
   * Writes {@code NAME.weights}, layer by layer, kernel then bias, {@code NAME.examples} and {@code
   * NAME.targets}: little-endian float32, the targets int32.
   */
  void write(Path folder, String name) throws IOException {
    Files.createDirectories(folder);
    try (Model made = model.get()) {
      int count = 0;
      for (Parameter p : made.table().all()) {
        count += made.get(p.path()).length;
      }
      ByteBuffer weights = bytes(count);
      for (Parameter p : made.table().all()) {
        for (float value : made.get(p.path())) {
          weights.putFloat(value);
        }
      }
      float[] x = examples(made);
      ByteBuffer examples = bytes(x.length);
      examples.asFloatBuffer().put(x);
      ByteBuffer targets = bytes(rows);
      targets.asIntBuffer().put(targets());
      Files.write(folder.resolve(name + ".weights"), weights.array());
      Files.write(folder.resolve(name + ".examples"), examples.array());
      Files.write(folder.resolve(name + ".targets"), targets.array());
    }
  }

  private static ByteBuffer bytes(int numbers) {
    return ByteBuffer.allocate(Math.multiplyExact(Float.BYTES, numbers))
        .order(ByteOrder.LITTLE_ENDIAN);
  }
}
