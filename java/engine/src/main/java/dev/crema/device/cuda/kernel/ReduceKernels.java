package dev.crema.device.cuda.kernel;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reductions over any axes: one group of adjoining axes after the other, the last first, each in
 * one pass or, where it is long, in pieces of fixed size. Sizes do not depend on the card, so that
 * results don't either.
 */
final class ReduceKernels {
  private static final String FAMILY = "reduce";
  private static final int ONE_BLOCK = 1024; // threads
  private static final long SHORT_ROW = 1024; // floats that are the work of a warp
  private static final long LONG_ROW = 65536; // floats that are cut into pieces
  private static final long PIECE = 16384; // floats of a piece of a row
  private static final long PIECE_ROWS = 512; // of a piece of columns

  private ReduceKernels() {}

  static Map<String, Kernel> kernels() {
    Map<String, Kernel> all = new HashMap<>();
    all.put("reduce_sum", (c, to) -> reduce(c, to, "sum", "sum", false));
    all.put("reduce_mean", (c, to) -> reduce(c, to, "sum", "sum", true));
    all.put("reduce_sum_squares", (c, to) -> reduce(c, to, "sum_squares", "sum", false));
    all.put("reduce_max", (c, to) -> reduce(c, to, "max", "max", false));
    all.put("reduce_min", (c, to) -> reduce(c, to, "min", "min", false));
    all.put("global_norm", ReduceKernels::globalNorm);
    return all;
  }

  /** Adjoining axes that are reduced, or not, together. */
  private record Group(long extent, boolean reduced) {}

  private static void reduce(Call c, Launches to, String first, String later, boolean mean) {
    Operand x = c.in(0);
    Result result = Result.of(to, c.out(0));
    reduce(c, to, Reduction.of(first, later, x.type()), result.address(), mean);
    result.store(c, to);
  }

  private static void reduce(Call c, Launches to, Reduction by, long y, boolean mean) {
    Operand x = c.in(0);
    long results = c.out(0).elements();
    double divisor = mean && results > 0 ? (double) (x.elements() / results) : 1;
    List<Group> groups = groups(c);
    if (x.elements() == 0) { // the start of a sum is what nothing sums to
      rows(c, to, by, 0, y, results, 0, divisor);
      return;
    }
    Reduction op = by;
    long from = x.address();
    int last = lastReduced(groups, groups.size());
    if (last < 0) { // every reduced axis has the extent 1
      columns(c, to, op, from, y, 1, 1, results, divisor);
      return;
    }
    while (last >= 0) {
      long outer = product(groups, 0, last);
      long inner = 1;
      for (Group g : groups.subList(last + 1, groups.size())) {
        inner *= g.reduced() ? 1 : g.extent();
      }
      int before = lastReduced(groups, last);
      long into = before < 0 ? y : to.scratch(4 * outer * inner);
      double divided = before < 0 ? divisor : 1;
      long n = groups.get(last).extent();
      if (inner == 1) {
        longRows(c, to, op, from, into, outer, n, divided);
      } else {
        longColumns(c, to, op, from, into, outer, n, inner, divided);
      }
      op = op.next();
      from = into;
      last = before;
    }
  }

  private static List<Group> groups(Call c) {
    List<Group> groups = new ArrayList<>();
    for (int axis = 0; axis < c.in(0).rank(); axis++) {
      boolean reduced = false;
      for (long i : c.instruction().ints()) {
        reduced |= i == axis;
      }
      int last = groups.size() - 1;
      long extent = c.in(0).dim(axis);
      if (extent == 1) {
        continue;
      }
      if (last >= 0 && groups.get(last).reduced() == reduced) {
        groups.set(last, new Group(groups.get(last).extent() * extent, reduced));
      } else {
        groups.add(new Group(extent, reduced));
      }
    }
    return groups;
  }

  private static int lastReduced(List<Group> groups, int before) {
    int last = before - 1;
    while (last >= 0 && !groups.get(last).reduced()) {
      last--;
    }
    return last;
  }

  private static long product(List<Group> groups, int from, int to) {
    long product = 1;
    for (Group g : groups.subList(from, to)) {
      product *= g.extent();
    }
    return product;
  }

  private static void longRows(
      Call c, Launches to, Reduction op, long x, long y, long outer, long n, double divisor) {
    if (n < LONG_ROW) {
      rows(c, to, op, x, y, outer, n, divisor);
      return;
    }
    long pieces = (n + PIECE - 1) / PIECE;
    long partial = to.scratch(4 * outer * pieces);
    to.launch(
        FAMILY,
        op.kernel("reduce_pieces_"),
        Grid.ofBlocks(c, outer * pieces),
        Arguments.of().pointer(x).pointer(partial).int64(outer).int64(n).int64(PIECE));
    longRows(c, to, op.next(), partial, y, outer, pieces, divisor);
  }

  /** [outer, n] to [outer]. */
  private static void rows(
      Call c, Launches to, Reduction op, long x, long y, long outer, long n, double divisor) {
    boolean small = n <= SHORT_ROW;
    to.launch(
        FAMILY,
        op.kernel(small ? "reduce_rows_" : "reduce_long_rows_"),
        small ? Grid.ofWarps(c, outer) : Grid.ofBlocks(c, outer),
        Arguments.of().pointer(x).pointer(y).int64(outer).int64(n).float32(divisor));
  }

  /** [outer, n, inner] to [outer, inner], in pieces where n is long. */
  static void longColumns(
      Call c,
      Launches to,
      Reduction op,
      long x,
      long y,
      long outer,
      long n,
      long inner,
      double divisor) {
    long pieces = (n + PIECE_ROWS - 1) / PIECE_ROWS;
    if (pieces <= 1) {
      columns(c, to, op, x, y, outer, n, inner, divisor);
      return;
    }
    long partial = to.scratch(4 * outer * pieces * inner);
    launchColumns(c, to, op, x, partial, outer, n, inner, PIECE_ROWS, 1);
    longColumns(c, to, op.next(), partial, y, outer, pieces, inner, divisor);
  }

  /** [outer, n, inner] to [outer, inner]. */
  private static void columns(
      Call c,
      Launches to,
      Reduction op,
      long x,
      long y,
      long outer,
      long n,
      long inner,
      double divisor) {
    launchColumns(c, to, op, x, y, outer, n, inner, Math.max(1, n), divisor);
  }

  private static void launchColumns(
      Call c,
      Launches to,
      Reduction op,
      long x,
      long y,
      long outer,
      long n,
      long inner,
      long piece,
      double divisor) {
    long pieces = (n + piece - 1) / piece;
    long blocks = outer * pieces * ((inner + 31) / 32);
    to.launch(
        FAMILY,
        op.kernel("reduce_columns_"),
        Grid.ofBlocks(c, blocks),
        Arguments.of()
            .pointer(x)
            .pointer(y)
            .int64(outer)
            .int64(n)
            .int64(inner)
            .int64(piece)
            .float32(divisor));
  }

  private static void globalNorm(Call c, Launches to) {
    long n = c.in(0).elements();
    long pieces = (n + PIECE - 1) / PIECE;
    long sums = to.scratch(8 * Math.max(1, pieces));
    to.launch(
        FAMILY,
        "global_norm_pieces",
        Grid.ofBlocks(c, pieces),
        Arguments.of().pointer(c.address(0)).pointer(sums).int64(n));
    to.launch(
        FAMILY,
        "global_norm_finish",
        1,
        ONE_BLOCK,
        0,
        Arguments.of().pointer(sums).int64(pieces).pointer(c.out(0).address()));
  }
}
