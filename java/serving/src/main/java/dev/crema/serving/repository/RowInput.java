package dev.crema.serving.repository;

import dev.crema.CremaException;
import dev.crema.data.RowEncoder;
import dev.crema.data.TablePreprocessing;
import dev.crema.memory.ElementType;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Encodes rows of named columns as a model's input, and brings what a regression answers to them
 * back to the units of the table. Thread-safe.
 */
final class RowInput {
  private final TablePreprocessing preprocessing;
  private final TensorSpec input;
  private final List<TablePreprocessing.Value> values; // what is predicted; empty: classes
  private final ConcurrentLinkedQueue<RowEncoder> encoders = new ConcurrentLinkedQueue<>();

  /**
   * @param input float32, of as many elements as the preprocessing makes
   * @param output the model's first
   */
  RowInput(TablePreprocessing preprocessing, TensorSpec input, TensorSpec output) {
    this.preprocessing = preprocessing;
    this.input = input;
    List<TablePreprocessing.Target> targets = preprocessing.targets();
    boolean fits =
        output.type() == ElementType.FLOAT32
            && output.elementsPerExample() == targets.size()
            && targets.get(0) instanceof TablePreprocessing.Value;
    this.values =
        fits
            ? targets.stream().map(target -> (TablePreprocessing.Value) target).toList()
            : List.of();
  }

  /**
   * Replaces standardised predictions by those in the table's units.
   *
   * @param output the first one's elements, a row of targets an example
   */
  void restore(byte[] output) {
    ByteBuffer bytes = ByteBuffer.wrap(output).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; !values.isEmpty() && i < output.length / Float.BYTES; i++) {
      float standardised = bytes.getFloat(i * Float.BYTES);
      double restored = values.get(i % values.size()).original(standardised);
      bytes.putFloat(i * Float.BYTES, (float) restored);
    }
  }

  /**
   * @throws ServingException naming the row and the column that is missing or wrong
   */
  TensorValue encode(List<Map<String, String>> rows) {
    int width = Math.toIntExact(input.elementsPerExample());
    long[] shape = input.shape().stream().mapToLong(Long::longValue).toArray();
    shape[0] = rows.size();
    long size = TensorValue.byteSize(input.type(), shape);
    if (size > Integer.MAX_VALUE - 8) {
      throw ServingException.invalidArgument(rows.size() + " rows are too many for one request");
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
    float[] row = new float[width];
    RowEncoder waiting = encoders.poll();
    RowEncoder encoder = waiting == null ? preprocessing.encoder() : waiting;
    for (int i = 0; i < rows.size(); i++) {
      if (rows.get(i) == null) {
        throw ServingException.invalidArgument("Row " + i + " is null");
      }
      try {
        encoder.encode(rows.get(i), row, 0);
      } catch (CremaException e) {
        throw ServingException.invalidArgument("Row " + i + ": " + e.getMessage());
      }
      bytes.asFloatBuffer().put(i * width, row);
    }
    encoders.offer(encoder);
    return new TensorValue(input.type(), shape, bytes);
  }
}
