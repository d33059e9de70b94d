package dev.crema.bench;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A network's weights and what it is asked, as plain arrays: to be read where nothing of an engine
 * may be loaded yet, Crema included.
 *
 * @param weights layer by layer, kernel then bias
 * @param examples row-major
 */
record Given(List<Weights> weights, float[] examples) {
  static Given of(Network network, int rows) {
    return new Given(network.weights(), network.examples(rows));
  }

  void write(Path file) throws IOException {
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
      floats(out, examples);
      out.writeInt(weights.size());
      for (Weights w : weights) {
        out.writeInt(w.dims().length);
        for (long dim : w.dims()) {
          out.writeLong(dim);
        }
        floats(out, w.values());
      }
    }
  }

  private static void floats(DataOutputStream out, float[] values) throws IOException {
    out.writeInt(values.length);
    for (float value : values) {
      out.writeFloat(value);
    }
  }

  static Given read(Path file) throws IOException {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      float[] examples = floats(in);
      int count = in.readInt();
      List<Weights> weights = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        long[] dims = new long[in.readInt()];
        for (int d = 0; d < dims.length; d++) {
          dims[d] = in.readLong();
        }
        weights.add(new Weights(floats(in), dims));
      }
      return new Given(weights, examples);
    }
  }

  private static float[] floats(DataInputStream in) throws IOException {
    float[] values = new float[in.readInt()];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readFloat();
    }
    return values;
  }
}
