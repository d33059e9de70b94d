package dev.crema.compress;

import dev.crema.data.Dataset;
import dev.crema.data.Order;
import dev.crema.device.Device;
import dev.crema.nn.Predictor;
import dev.crema.nn.Topology;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;

/** How long predictions take. See {@link Comparison} for how it is measured. */
final class Latency {
  private static final long WARM_UP = 100_000_000; // nanoseconds, and at least this many calls:
  private static final int WARM_UP_CALLS = 20;
  private static final int ROUNDS = 15;
  private static final long ROUND = 10_000_000;

  private Latency() {}

  /** The median latency in nanoseconds of a batch of that many of the data's first examples. */
  static double[] medians(
      List<Candidate> candidates, int batch, Dataset data, int threads, Device device) {
    List<Predictor> predictors = new ArrayList<>();
    try {
      List<ByteBuffer> examples = examples(data, batch);
      for (Candidate c : candidates) {
        Predictor p = c.predictor(batch, threads, device);
        predictors.add(p);
        fill(c.model().topology(), p, data, examples);
      }
      int[] calls = new int[predictors.size()];
      for (int i = 0; i < calls.length; i++) {
        calls[i] = warmUp(predictors.get(i), batch);
      }
      double[][] rounds = new double[calls.length][ROUNDS];
      for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < calls.length; i++) {
          rounds[i][r] = perCall(predictors.get(i), batch, calls[i]);
        }
      }
      return Arrays.stream(rounds).mapToDouble(Latency::median).toArray();
    } finally {
      predictors.forEach(Predictor::close);
    }
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  /** Lets the compiler and the caches settle; gives how many calls make a round. */
  private static int warmUp(Predictor predictor, int batch) {
    long start = System.nanoTime();
    long calls = 0;
    while (calls < WARM_UP_CALLS || System.nanoTime() - start < WARM_UP) {
      predictor.run(batch);
      calls++;
    }
    long each = Math.max(1, (System.nanoTime() - start) / calls);
    return (int) Math.max(1, Math.min(Integer.MAX_VALUE, ROUND / each));
  }

  private static double perCall(Predictor predictor, int batch, int calls) {
    long start = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      predictor.run(batch);
    }
    return (double) (System.nanoTime() - start) / calls;
  }

  /** The first examples, a buffer for each input; zeros where the data has fewer. */
  private static List<ByteBuffer> examples(Dataset data, int batch) {
    List<ByteBuffer> buffers = new ArrayList<>();
    for (Dataset.Slot slot : data.inputs()) {
      buffers.add(
          ByteBuffer.allocateDirect(Math.multiplyExact(batch, slot.rowBytes()))
              .order(ByteOrder.nativeOrder()));
    }
    try (Dataset.Reader reader = data.reader(Order.sequential())) {
      reader.read(buffers, batch);
    }
    return buffers;
  }

  private static void fill(
      Topology topology, Predictor predictor, Dataset data, List<ByteBuffer> examples) {
    List<String> given = data.inputs().stream().map(Dataset.Slot::name).toList();
    List<String> wanted = topology.inputs().stream().map(Topology.InputSpec::name).toList();
    boolean named = new HashSet<>(wanted).equals(new HashSet<>(given));
    for (int i = 0; i < wanted.size(); i++) {
      ByteBuffer from = examples.get(named ? given.indexOf(wanted.get(i)) : i).duplicate();
      predictor.inputMemory(wanted.get(i)).duplicate().put(from.clear());
    }
  }
}
