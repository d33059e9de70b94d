package dev.crema.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;

/** What each work is to reach, and what limits those that do not. */
final class Bars {
  private static final double MICRO = 1e3;
  private static final double MILLI = 1e6;

  /** Of arithmetic on two threads: what is left goes to handing over and to shared caches. */
  private static final double SPEEDUP = 1.8;

  private static final Map<String, List<Bar>> BARS = new HashMap<>();
  private static final Map<String, String> LIMITED_BY = new HashMap<>();
  private static final Map<String, String> THREADS_LIMITED_BY = new HashMap<>();

  static {
    networks();
    operations();
    reasons();
  }

  private Bars() {}

  private static void put(String work, Bar... bars) {
    BARS.put(work, List.of(bars));
  }

  private static void networks() {
    put(
        "seed-mlp.train.32",
        new Bar.AheadOfBest(6),
        new Bar.AheadOf(80, "dl4j"),
        new Bar.OfLimit(40));
    put("seed-mlp.predict.1", new Bar.Within(MICRO), new Bar.AheadOfBest(4));
    put(
        "mlp.train.256",
        new Bar.AheadOfBest(1.1),
        new Bar.AheadOf(2, "libtorch-default"),
        new Bar.OfLimit(80));
    for (int batch : new int[] {1, 8, 32, 256}) {
      put("mlp.predict." + batch, new Bar.AheadOfBestOrOfLimit(97));
    }
    put("mlp-int8.predict.1", new Bar.AheadOfBest(1));
    for (int batch : new int[] {8, 32, 256}) {
      Bar float32 = new Bar.AheadOfWork(3, "mlp.predict." + batch);
      put("mlp-int8.predict." + batch, new Bar.AheadOfBest(1), float32);
    }
    for (String network : new String[] {"lenet", "resnet"}) {
      for (int batch : new int[] {1, 32}) {
        String predict = ".predict." + batch;
        Bar float32 = new Bar.AheadOfWork(2, network + predict);
        put(network + "-int8" + predict, new Bar.AheadOfBest(1), float32);
      }
    }
    put("mlp-bf16.train.256", new Bar.AheadOfWork(1.5, "mlp.train.256"));
    put("lenet.train.64", new Bar.AheadOfBest(1.6));
    put("lenet.predict.64", new Bar.AheadOf(1, "onnxruntime"));
    put("residual.forward.8", new Bar.AheadOfBest(1.3));
    put("residual.train.8", new Bar.AheadOfBest(1.3));
    put("load.first-prediction", new Bar.Within(300 * MILLI));
  }

  private static void operations() {
    for (int n : new int[] {64, 128, 256, 512, 1024, 2048}) {
      put("matmul." + n, new Bar.AheadOfBestOrOfLimit(97));
    }
    for (int m : new int[] {1, 8, 32}) {
      put("matmul." + m + "x1024x1024", new Bar.AheadOfBestOrOfLimit(97));
    }
    for (int m : new int[] {1, 8}) {
      put("int8-matmul-" + m, new Bar.AheadOfBest(0.97));
    }
    for (int m : new int[] {32, 256}) {
      put("int8-matmul-" + m, new Bar.AheadOfBest(0.97), new Bar.OfVectors(85));
    }
    Map<Integer, Integer> ahead = Map.of(1, 4, 8, 4, 32, 3, 256, 2);
    ahead.forEach(
        (m, times) -> {
          String size = m + "x1024x1024";
          put(
              "sparse-matmul." + size,
              new Bar.AheadOfWork(times, "matmul." + size),
              new Bar.AheadOf(1, "mkl"));
        });
    put("adam.10m", new Bar.AheadOf(1, "libtorch"), new Bar.OfLimit(95));
    for (String function : new String[] {"softmax", "layer-norm", "gelu"}) {
      put(function + ".4096x1024", new Bar.AheadOfBest(2), new Bar.OfLimit(80));
    }
    put("max-pool.lenet", new Bar.OfLimit(95));
    put("lstm.train.32", new Bar.AheadOfBest(1.5));
  }

  private static void reasons() {
    LIMITED_BY.put(
        "seed-mlp.train.32",
        "three quarters of the step are products of 32 rows, which reach 75 % of the arithmetic"
            + " (those of 10 columns 35 to 48 %), an eighth is Adam's division and square root");
    LIMITED_BY.put(
        "lenet.train.64",
        "by count the second convolution's transforms take 40 % of its time; the first, of one"
            + " channel, is at 60 to 75 % of the arithmetic, and pools, Adam and gradients of ReLU"
            + " multiply nothing");
    LIMITED_BY.put(
        "mlp.train.256",
        "training products pack a factor anew each time and reach 82 to 86 % of the arithmetic with"
            + " AVX-512, 87 to 90 % with AVX2: of the former's loss packing B and reading it from the"
            + " L3 cache are 8 points, packing A 2, asking for lines 1, the tile 3; the limit is the"
            + " best moment's, which a host whose frequency swings keeps for a tenth less;"
            + " Adam takes 6 to 9 % of the step in a sweep, 3 % beside the products of gradients (AVX-512);"
            + " libtorch as it loads is faster here than where the"
            + " bar of twice its speed was set");
    String copy =
        "a stream with more than 13 vector instructions a vector is below 80 % of a copy; where"
            + " memory is slow the best peer is at 74 to 83 % of one, which cannot be doubled";
    LIMITED_BY.put("gelu.4096x1024", copy + "; GELU takes 18, with AVX2 16 and a division");
    LIMITED_BY.put("softmax.4096x1024", copy + "; softmax takes 14 to 17 and three readings");
    LIMITED_BY.put(
        "layer-norm.4096x1024",
        "each row is read three times, twice from the L1 cache; where memory is slow the best peer is"
            + " at 83 % of a copy, which cannot be doubled");
    LIMITED_BY.put("max-pool.lenet", "four reads of a line for one write, beside the copy's one");
    LIMITED_BY.put(
        "lstm.train.32",
        "half again as fast as the best peer would be 91 to 99 % of the arithmetic: the peers are at"
            + " 61 to 66 %; products of 32 rows, whose weights come from the L2 cache, reach 81 to 84 %,"
            + " gates, packing and copies take 13 to 17 % of the time");
    String exact =
        "without VNNI ONNX Runtime and oneDNN add two products in 16 bits, which saturates; exact"
            + " sums, as Crema's, take half as many products an instruction; with AMX a product reaches"
            + " 57 to 65 % of the tiles' rate, five times VNNI's: two of the four tiles that are loaded for"
            + " four products come from the L2 cache, and sums become bytes";
    String tile =
        "the tile of registers alone reaches 97 % of the multiply-adds measured beside it with AVX-512;"
            + " packing B and reading it from the L3 cache cost 8 points, packing A 2";
    for (int n : new int[] {64, 128, 256, 512, 1024, 2048}) {
      LIMITED_BY.put("matmul." + n, tile + "; oneDNN loses 1 to 8 % less");
    }
    for (int batch : new int[] {1, 8, 32, 256}) {
      LIMITED_BY.put(
          "mlp.predict." + batch, tile + "; what differs from oneDNN's is within the spread");
      LIMITED_BY.put(
          "mlp-int8.predict." + batch, "products reach 88 % of the arithmetic; " + exact);
      LIMITED_BY.put("int8-matmul-" + batch, exact);
    }
    LIMITED_BY.put(
        "mlp-bf16.train.256",
        "without AVX-512 BF16 or AMX factors are rounded first, and products cost what those of"
            + " float32 do");
    LIMITED_BY.put(
        "adam.10m", "both stand at the memory's limit; what differs is within the spread");
    String widened =
        "without VNNI bytes are multiplied as 16 bits, exactly: 1.8 times float32's rate at most, by"
            + " count of instructions; and Winograd's convolutions in float32 multiply half as often or"
            + " less";
    for (int batch : new int[] {1, 32}) {
      LIMITED_BY.put("lenet-int8.predict." + batch, widened);
      LIMITED_BY.put("resnet-int8.predict." + batch, widened);
    }
    String handing = "handing 16 KB to a second thread and back takes 1.1 to 1.4 µs; ";
    LIMITED_BY.put(
        "sparse-matmul.1x1024x1024",
        "with AVX2 a step of 8 weights, half of them idle, is a load, a permutation, a shift and a"
            + " multiply-add; four times the dense product, which reads 4 MB at the L3 cache's speed,"
            + " would be 0.6 cycles a weight");
    LIMITED_BY.put(
        "sparse-matmul.8x1024x1024",
        "a weight takes 1.1 cycles: a row of x is loaded, and half of a permutation, of a"
            + " multiply-add and of what loads weights and indices; the weights come from the L2 cache");
    THREADS_LIMITED_BY.put(
        "seed-mlp.train.32",
        handing + "gradients and weights to exchange leave 1.2 times at most of a step of 14 µs");
    THREADS_LIMITED_BY.put(
        "sparse-matmul.8x1024x1024",
        handing + "each thread packs x for itself, 1.3 of 30 µs, which leaves 1.78 times at most");
    THREADS_LIMITED_BY.put(
        "int8-matmul-32", handing + "that leaves 1.78 times at most of 19 µs in AMX's tiles");
    THREADS_LIMITED_BY.put("matmul.64", handing + "this one takes 2.6 µs, so it is not split");
    THREADS_LIMITED_BY.put("matmul.128", handing + "half of this one takes 9 µs and needs 64 KB");
  }

  /** All works that have a bar or a reason. */
  static Set<String> works() {
    Set<String> names = new TreeSet<>(BARS.keySet());
    names.addAll(LIMITED_BY.keySet());
    names.addAll(THREADS_LIMITED_BY.keySet());
    return names;
  }

  /** The bars of a work on one thread. */
  static List<Bar> of(Work work) {
    List<Bar> bars = new ArrayList<>(BARS.getOrDefault(work.name(), List.of()));
    boolean steps =
        work.problem() instanceof Problem.Training || work.problem() instanceof Problem.Prediction;
    if (steps) {
      bars.add(new Bar.NoHeap());
    }
    return bars;
  }

  static Bar onTwoThreads(boolean arithmetic) {
    return arithmetic ? new Bar.Speedup(SPEEDUP) : new Bar.NotSlower();
  }

  /**
   * What keeps a work from a bar.
   *
   * @param limitSpeedup how many times as fast the machine's limit is on two threads
   */
  static String limitedBy(Work work, Bar bar, OptionalDouble limitSpeedup) {
    boolean threads = bar instanceof Bar.Speedup || bar instanceof Bar.NotSlower;
    String reason = (threads ? THREADS_LIMITED_BY : LIMITED_BY).get(work.name());
    if (reason != null) {
      return reason;
    }
    if (bar instanceof Bar.Speedup speedup
        && limitSpeedup.orElse(speedup.times()) < speedup.times()) {
      return String.format(
          Locale.ROOT,
          "two threads gave this machine's limit itself %.2f times the rate of one",
          limitSpeedup.getAsDouble());
    }
    return "not known yet (" + bar.text() + ")";
  }
}
