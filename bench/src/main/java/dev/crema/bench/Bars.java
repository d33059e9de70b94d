package dev.crema.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
      put("int8-matmul-" + m, new Bar.AheadOfBest(0.97), new Bar.OfLimit(85));
    }
    put("adam.10m", new Bar.AheadOf(1, "libtorch"), new Bar.OfLimit(95));
    for (String function : new String[] {"softmax", "layer-norm", "gelu"}) {
      put(function + ".4096x1024", new Bar.AheadOfBest(2), new Bar.OfLimit(80));
    }
    put("max-pool.lenet", new Bar.OfLimit(95));
    put("lstm.train.32", new Bar.AheadOfBest(1.5));
  }

  private static void reasons() {
    String handing = "handing a product to a second thread takes 1.2 to 1.6 µs; ";
    LIMITED_BY.put(
        "mlp.train.256",
        "training products pack a factor anew each time and reach 82 to 85 % of the arithmetic;"
            + " Adam's sweep is 6 % of the step");
    THREADS_LIMITED_BY.put(
        "seed-mlp.train.32", handing + "the largest of this step takes 1.7 µs, so none is split");
    THREADS_LIMITED_BY.put("matmul.64", handing + "this one takes 2.6 µs, so it is not split");
    THREADS_LIMITED_BY.put("matmul.128", handing + "half of this one takes 10 µs");
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

  /** What keeps a work from a bar. */
  static String limitedBy(Work work, Bar bar) {
    boolean threads = bar instanceof Bar.Speedup || bar instanceof Bar.NotSlower;
    return (threads ? THREADS_LIMITED_BY : LIMITED_BY)
        .getOrDefault(work.name(), "not known yet (" + bar.text() + ")");
  }
}
