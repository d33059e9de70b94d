package dev.crema.plan;

import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.pass.Pass;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A product with random weights in a graph of its own, to be planned in two ways and timed. The
 * plans are of one capacity, device and number of threads.
 */
final class ProductRace implements AutoCloseable {
  /** What the product's layer is called. */
  static final String LAYER = "product";

  /** What its kernel is called. */
  static final String KERNEL = "kernel";

  private static final double GAIN = 0.9; // of the usual time: less is within what timings drift
  private static final int ROUNDS = 7;
  private static final long ROUND = 200_000; // nanoseconds, and at least one call
  private static final long BUDGET = 50_000_000; // after which three rounds are enough

  /** What the time of a product depends on, but for its weights and where it runs. */
  record Product(Op op, TensorType x, TensorType kernel, boolean bias) {
    static Product of(Application a) {
      boolean bias = a.inputs().size() > 2 && a.input(2) != null;
      return new Product(a.op(), a.input(0).type(), a.input(1).type(), bias);
    }
  }

  private final Device device;
  private final int capacity;
  private final int threads;
  private final Node y;
  private final Buffer parameters;
  private final long nonZeros;

  /** Which weights are not 0. */
  @FunctionalInterface
  interface Kept {
    /** Asked for each weight from the first on. */
    boolean isKept(SplittableRandom random, long index);
  }

  ProductRace(Product product, Kept kept, Device device, int capacity, int threads) {
    this.device = device;
    this.capacity = capacity;
    this.threads = threads;
    TensorType kernel = product.kernel();
    long weights = kernel.elements().constant();
    long bias = (weights + 15) / 16 * 16;
    Graph graph = new Graph();
    Node x = graph.input("x", product.x());
    Node w = graph.variable(KERNEL, Storage.PARAMETERS, 0, kernel);
    TensorType row = kernel.withDims(List.of(kernel.dim(-1)));
    Node b = product.bias() ? graph.variable("bias", Storage.PARAMETERS, bias, row) : null;
    graph.beginLayer(LAYER);
    this.y = graph.apply(product.op(), x, w, b).output(0);
    graph.endLayer();
    long units = kernel.dim(-1).constant();
    this.parameters = Buffer.allocate(4 * (bias + units), "The weights of a measurement");
    this.nonZeros = fill(weights, kept);
  }

  /** Weights from -0.5 to 0.5; gives how many are not 0. */
  private long fill(long weights, Kept kept) {
    SplittableRandom random = new SplittableRandom(1);
    long count = 0;
    int chunk = 1 << 20;
    for (long from = 0; from < weights; from += chunk) {
      int length = (int) Math.min(chunk, weights - from);
      FloatBuffer floats = parameters.borrow(4 * from, 4 * length).asFloatBuffer();
      for (int i = 0; i < length; i++) {
        if (kept.isKept(random, from + i)) {
          floats.put(i, random.nextFloat() - 0.5f);
          count++;
        }
      }
    }
    return count;
  }

  /** Weights that are not 0. */
  long nonZeros() {
    return nonZeros;
  }

  /**
   * Whether it clearly takes less time with some passes than with others. In turns, and the least
   * time of each: other load on the machine matters little.
   */
  boolean isFaster(List<Pass> passes, List<Pass> usualPasses) {
    try (Plan plan = plan(passes);
        Plan usual = plan(usualPasses)) {
      int calls = calls(plan);
      int usualCalls = calls(usual);
      double time = Double.MAX_VALUE;
      double usualTime = Double.MAX_VALUE;
      long start = System.nanoTime();
      for (int round = 0; round < ROUNDS; round++) {
        time = Math.min(time, perCall(plan, calls));
        usualTime = Math.min(usualTime, perCall(usual, usualCalls));
        if (round >= 2 && System.nanoTime() - start > BUDGET) {
          break;
        }
      }
      return time < GAIN * usualTime;
    }
  }

  private Plan plan(List<Pass> passes) {
    return Plan.of(y.graph())
        .outputs(y)
        .storage(Storage.PARAMETERS, parameters)
        .passes(passes)
        .prepared(new Prepared())
        .capacity(capacity)
        .threads(threads)
        .device(device)
        .build();
  }

  /** How many make a round, after two to warm up. */
  private int calls(Plan plan) {
    plan.run(capacity);
    return (int) Math.max(1, ROUND / Math.max(1, (long) perCall(plan, 1)));
  }

  private double perCall(Plan plan, int calls) {
    long start = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      plan.run(capacity);
    }
    return (double) (System.nanoTime() - start) / calls;
  }

  @Override
  public void close() {
    parameters.close();
  }
}
