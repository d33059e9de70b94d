package dev.crema.plan;

import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.pass.NonZeros;
import dev.crema.pass.Pass;
import dev.crema.pass.Prepack;
import dev.crema.pass.Sparsify;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Whether a product pays without the zeros of its kernel: both are measured on this machine, at the
 * plan's capacity, with random kernels of the same shape and as many zeros, in groups if those are,
 * which takes a few hundredths of a second. The answer is kept for as long as the process runs.
 * Thread-safe.
 *
 * @param capacity most examples of a batch
 * @param threads of the pool; 0 for all
 * @param packs whether the plan packs the kernels of dense layers otherwise
 */
public record SparseTrial(Device device, int capacity, int threads, boolean packs)
    implements Sparsify.Choice {
  /** Steps in which the share of weights that are not 0 is told apart. */
  public static final int SHARES = 40;

  private static final double GAIN = 0.9; // of the dense time: less is within what timings drift
  private static final int ROUNDS = 7;
  private static final long ROUND = 200_000; // nanoseconds, and at least one call
  private static final long BUDGET = 50_000_000; // after which three rounds are enough
  private static final Map<Question, Boolean> ANSWERS = new ConcurrentHashMap<>();

  public SparseTrial {
    Objects.requireNonNull(device, "device");
  }

  /**
   * What is told apart of kernels of one shape.
   *
   * @param share of weights that are not 0, of {@link #SHARES}, rounded up
   * @param grouped whether they stand in groups
   */
  public record Pattern(int share, boolean grouped) {
    public static Pattern of(NonZeros nonZeros, long weights) {
      int share = (int) ((nonZeros.weights() * SHARES + weights - 1) / weights);
      return new Pattern(share, nonZeros.areGrouped());
    }
  }

  @Override
  public boolean pays(Application product, NonZeros nonZeros) {
    TensorType kernel = product.input(1).type();
    Question question =
        new Question(
            device.toString() + " " + device.description(),
            product.op(),
            product.input(0).type(),
            kernel,
            product.inputs().size() > 2 && product.input(2) != null,
            Pattern.of(nonZeros, kernel.elements().constant()),
            capacity,
            threads,
            packs);
    Boolean known = ANSWERS.get(question);
    if (known == null) {
      synchronized (ANSWERS) { // one at a time: others would disturb the timings
        known = ANSWERS.computeIfAbsent(question, this::measure);
      }
    }
    return known;
  }

  private boolean measure(Question question) {
    TensorType kernel = question.kernel();
    long weights = kernel.elements().constant();
    long units = kernel.dim(-1).constant();
    long bias = (weights + 15) / 16 * 16;
    Graph graph = new Graph();
    Node x = graph.input("x", question.x());
    Node w = graph.variable("kernel", Storage.PARAMETERS, 0, kernel);
    TensorType row = kernel.withDims(List.of(kernel.dim(-1)));
    Node b = question.bias() ? graph.variable("bias", Storage.PARAMETERS, bias, row) : null;
    Node y = graph.apply(question.op(), x, w, b).output(0);
    try (Buffer parameters = Buffer.allocate(4 * (bias + units), "The weights of a measurement")) {
      long kept = fill(parameters, weights, units, question.pattern());
      Sparsify all =
          new Sparsify(
              Map.of("kernel", new NonZeros(kept, kept)), capacity, (product, count) -> true);
      try (Plan dense = plan(y, parameters, packs ? List.of(new Prepack()) : List.of());
          Plan sparse = plan(y, parameters, List.of(all))) {
        return isFaster(sparse, dense);
      }
    }
  }

  private Plan plan(Node y, Buffer parameters, List<Pass> passes) {
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

  /** Random weights, not 0 in that pattern; gives how many those are. */
  private static long fill(Buffer parameters, long weights, long units, Pattern pattern) {
    SplittableRandom random = new SplittableRandom(1);
    long nonZeros = 0;
    boolean kept = false;
    int chunk = 1 << 20;
    for (long from = 0; from < weights; from += chunk) {
      int count = (int) Math.min(chunk, weights - from);
      FloatBuffer floats = parameters.borrow(4 * from, 4 * count).asFloatBuffer();
      for (int i = 0; i < count; i++) {
        if (!pattern.grouped() || (from + i) % units % NonZeros.GROUP == 0) {
          kept = random.nextInt(SHARES) < pattern.share();
        }
        if (kept) {
          floats.put(i, random.nextFloat() - 0.5f);
          nonZeros++;
        }
      }
    }
    return nonZeros;
  }

  /** In turns, and the least time of each: other load on the machine matters little. */
  private boolean isFaster(Plan sparse, Plan dense) {
    int sparseCalls = calls(sparse);
    int denseCalls = calls(dense);
    double sparseTime = Double.MAX_VALUE;
    double denseTime = Double.MAX_VALUE;
    long start = System.nanoTime();
    for (int round = 0; round < ROUNDS; round++) {
      sparseTime = Math.min(sparseTime, perCall(sparse, sparseCalls));
      denseTime = Math.min(denseTime, perCall(dense, denseCalls));
      if (round >= 2 && System.nanoTime() - start > BUDGET) {
        break;
      }
    }
    return sparseTime < GAIN * denseTime;
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

  /** What an answer depends on. */
  private record Question(
      String device,
      Op op,
      TensorType x,
      TensorType kernel,
      boolean bias,
      Pattern pattern,
      int capacity,
      int threads,
      boolean packs) {}
}
