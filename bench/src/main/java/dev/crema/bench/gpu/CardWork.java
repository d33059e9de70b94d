package dev.crema.bench.gpu;

import dev.crema.device.Device;
import dev.crema.graph.Precision;
import java.util.List;

/**
 * A row of the table.
 *
 * @param name as peers.py has it, too
 * @param flops of the matrix products in a run, each multiply-add counted as two
 * @param arithmetic of those products
 * @param bytes that a run moves at least, where memory is the limit; 0 where products are
 * @param given what every engine begins with, to be compared; null where weights are drawn anew
 */
record CardWork(
    String name,
    String description,
    double flops,
    Arithmetic arithmetic,
    double bytes,
    List<CardBar> bars,
    TrainingData given,
    Maker maker) {
  /** Makes it ready. */
  interface Maker {
    CardTask make(Device device);
  }

  /** A training. */
  static CardWork training(
      String name,
      String description,
      double flops,
      Arithmetic arithmetic,
      TrainingData data,
      boolean compared,
      CardBar... bars) {
    return new CardWork(
        name,
        description,
        flops,
        arithmetic,
        0,
        List.of(bars),
        compared ? data : null,
        device -> new TrainingOnCard(device, arithmetic.precision(), data));
  }

  /** A graph that products limit. */
  static CardWork products(
      String name,
      String description,
      double flops,
      Arithmetic arithmetic,
      StoredGraph.Builder builder,
      CardBar... bars) {
    return new CardWork(
        name,
        description,
        flops,
        arithmetic,
        0,
        List.of(bars),
        null,
        device -> new StoredGraph(device, arithmetic.precision(), builder));
  }

  /** A graph that memory limits. */
  static CardWork memory(
      String name, String description, double bytes, StoredGraph.Builder builder, CardBar... bars) {
    return new CardWork(
        name,
        description,
        0,
        Arithmetic.FP32,
        bytes,
        List.of(bars),
        null,
        device -> new StoredGraph(device, Precision.FLOAT32, builder));
  }
}
