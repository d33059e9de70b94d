package dev.crema.train;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import java.nio.ByteBuffer;

/**
 * What changes from step to step, in memory that the plan reads: no new plan for a new learning
 * rate. Floats: the random numbers' counter [4] (as bits), the gradients' scale, three spare; then
 * for each parameter group learning rate, step, and the two bias corrections.
 */
final class Hyper implements AutoCloseable {
  /** Where layers find the counter of random numbers: {@code RandomCounter}. */
  static final int COUNTER = 0;

  static final int SCALE = 4;
  private static final int GROUPS = 8;
  private static final int GROUP = 4;

  private final Buffer buffer;
  private final ByteBuffer memory;
  private final double[] factors;
  private final double beta1;
  private final double beta2;

  /**
   * @param factors of the learning rate, one a group
   */
  Hyper(double[] factors, double beta1, double beta2, long seed) {
    this.factors = factors.clone();
    this.beta1 = beta1;
    this.beta2 = beta2;
    int bytes = 4 * (GROUPS + GROUP * factors.length);
    this.buffer = Buffer.allocate(bytes);
    this.memory = buffer.borrow(0, bytes);
    memory.putLong(4 * COUNTER, seed);
  }

  Buffer buffer() {
    return buffer;
  }

  /** The inputs of a group's update. */
  static Node group(Graph graph, int index) {
    long offset = GROUPS + (long) GROUP * index;
    return graph.variable("hyper", Storage.HYPER, offset, TensorType.of(GROUP));
  }

  /** Random numbers of that batch. */
  void batch(long number) {
    memory.putLong(4 * (COUNTER + 2), number);
    buffer.changed();
  }

  /**
   * For an update.
   *
   * @param step updates before it
   * @param scale what gradients are multiplied by
   */
  void update(long step, double learningRate, double scale) {
    memory.putFloat(4 * SCALE, (float) scale);
    double t = step + 1.0;
    for (int g = 0; g < factors.length; g++) {
      int at = 4 * (GROUPS + GROUP * g);
      memory.putFloat(at, (float) (learningRate * factors[g]));
      memory.putFloat(at + 4, (float) t);
      memory.putFloat(at + 8, (float) (1 - Math.pow(beta1, t)));
      memory.putFloat(at + 12, (float) (1 - Math.pow(beta2, t)));
    }
    buffer.changed();
  }

  @Override
  public void close() {
    buffer.close();
  }
}
