package dev.crema.serving.repository;

import dev.crema.CremaException;
import dev.crema.data.Preprocessing;
import dev.crema.data.RowEncoder;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Encodes rows of named columns as a model's input. Thread-safe. */
final class RowInput {
  private final Preprocessing preprocessing;
  private final TensorSpec input;
  private final ConcurrentLinkedQueue<RowEncoder> encoders = new ConcurrentLinkedQueue<>();

  /**
   * @param input float32, of as many elements as the preprocessing makes
   */
  RowInput(Preprocessing preprocessing, TensorSpec input) {
    this.preprocessing = preprocessing;
    this.input = input;
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
