package dev.crema.device.cuda.kernel;

import java.util.HashMap;
import java.util.Map;

/**
 * Optimisers over flat buffers. in: parameters, gradients, moments, hyper, scale?, mask?; in that
 * order, with as many moments as the optimiser has.
 */
final class OptimizerKernels {
  private static final String FAMILY = "optimizer";
  private static final int MOST_TENSORS = 256; // of a launch
  private static final long PIECE = 16384; // parameters

  private OptimizerKernels() {}

  static Map<String, Kernel> kernels() {
    Map<String, Kernel> all = new HashMap<>();
    all.put("sgd", (c, to) -> update(c, to, "sgd", 0, reals(c, 0)));
    all.put(
        "momentum", (c, to) -> update(c, to, "momentum", 1, reals(c, 1, 0, 1).int32(c.integer(0))));
    all.put("adam", (c, to) -> update(c, to, "adam", 2, adam(c).int32(c.integer(0))));
    all.put("rmsprop", (c, to) -> update(c, to, "rmsprop", 1, rmsprop(c)));
    all.put("adagrad", (c, to) -> update(c, to, "adagrad", 1, reals(c, 1, 0, 1)));
    all.put("lion", (c, to) -> update(c, to, "lion", 1, lion(c)));
    all.put("lamb", OptimizerKernels::lamb);
    return all;
  }

  /** The struct Update. */
  private static byte[] update(Call c, int moments) {
    return new Struct()
        .int64(c.address(0))
        .int64(c.address(1))
        .int64(moments > 0 ? c.address(2) : 0)
        .int64(moments > 1 ? c.address(3) : 0)
        .int64(c.address(4 + moments))
        .int64(c.address(2 + moments))
        .int64(c.address(3 + moments))
        .int64(c.errors())
        .int64(c.in(0).elements())
        .toBytes();
  }

  private static Arguments reals(Call c, int moments, int... which) {
    Arguments arguments = Arguments.of().struct(update(c, moments));
    for (int i : which.length == 0 ? new int[] {0} : which) {
      arguments.float32(c.real(i));
    }
    return arguments;
  }

  /** 1 - a constant is rounded once: in floats, 1 - 0.999 is off by 1e-5 of it. */
  private static Arguments with(Arguments arguments, Call c, int i) {
    return arguments.float32(c.real(i)).float32(1 - c.real(i));
  }

  private static Arguments adam(Call c) {
    return with(with(reals(c, 2), c, 1), c, 2).float32(c.real(3));
  }

  private static Arguments rmsprop(Call c) {
    return with(reals(c, 1), c, 1).float32(c.real(2));
  }

  private static Arguments lion(Call c) {
    return with(with(reals(c, 1), c, 1), c, 2);
  }

  private static void update(Call c, Launches to, String kernel, int moments, Arguments arguments) {
    long blocks = Grid.ofFours(c, c.in(0).elements());
    to.launch(FAMILY, kernel, blocks, arguments);
  }

  /** ints: the end of each tensor, ascending. */
  private static void lamb(Call c, Launches to) {
    long n = c.in(0).elements();
    long[] ends = c.instruction().ints();
    long step = to.scratch(4 * n);
    to.launch(
        FAMILY,
        "lamb_moments",
        Grid.ofElements(c, n),
        with(with(Arguments.of().struct(update(c, 2)).pointer(step).float32(c.real(0)), c, 1), c, 2)
            .float32(c.real(3)));
    long longest = 1;
    for (int t = 0; t < ends.length; t++) {
      longest = Math.max(longest, ends[t] - (t == 0 ? 0 : ends[t - 1]));
    }
    long pieces = (longest + PIECE - 1) / PIECE;
    for (int first = 0; first < ends.length; first += MOST_TENSORS) {
      int count = Math.min(MOST_TENSORS, ends.length - first);
      Struct tensors = new Struct().int64(count).int64(first == 0 ? 0 : ends[first - 1]);
      for (int t = 0; t < MOST_TENSORS; t++) {
        tensors.int64(t < count ? ends[first + t] : 0);
      }
      long sums = to.scratch(16 * count * pieces);
      to.launch(
          FAMILY,
          "lamb_norms",
          pieces,
          count,
          1,
          Grid.THREADS,
          1,
          1,
          0,
          Arguments.of()
              .pointer(c.address(0))
              .pointer(step)
              .struct(tensors.toBytes())
              .int64(PIECE)
              .pointer(sums));
      to.launch(
          FAMILY,
          "lamb_apply",
          Grid.ofElements(c, longest),
          count,
          1,
          Grid.THREADS,
          1,
          1,
          0,
          Arguments.of()
              .struct(update(c, 2))
              .pointer(step)
              .struct(tensors.toBytes())
              .int64(pieces)
              .pointer(sums));
    }
  }
}
