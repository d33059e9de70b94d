package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;
import java.util.HashMap;
import java.util.Map;

/** Rows by index and the gradients, and positions of the greatest. */
final class IndexKernels {
  private static final String GATHER = "gather";
  private static final long SORTED = 2048; // keys that a block sorts
  private static final long MOST_BEST = 1024; // that a block keeps while it looks for the greatest

  private IndexKernels() {}

  static Map<String, Kernel> kernels() {
    Map<String, Kernel> all = new HashMap<>();
    all.put("gather", new Indexed(1, IndexKernels::gather));
    all.put("gather_grad", new Indexed(0, IndexKernels::gatherGradient));
    all.put("embedding", new Indexed(0, IndexKernels::embedding));
    all.put("embedding_grad", new Indexed(0, IndexKernels::embeddingGradient));
    all.put("arg_max", IndexKernels::argMax);
    all.put("top_k", IndexKernels::topK);
    all.put("top_k_grad", IndexKernels::topKGradient);
    return all;
  }

  /** A kernel whose input {@code indices} may be out of range. */
  record Indexed(int indices, Kernel kernel) implements Kernel {
    @Override
    public void launch(Call c, Launches to) {
      kernel.launch(c, to);
    }

    @Override
    public String message(Call c, long position, int value) {
      Operand indexed = indices == 1 ? c.in(0) : c.ins() > 1 && isTable(c) ? c.in(1) : c.out(0);
      int axis = c.instruction().kernel().startsWith(GATHER) ? (int) c.integer(0) : 0;
      return "index "
          + value
          + " at position "
          + position
          + " is outside [0, "
          + indexed.dim(axis)
          + ")";
    }

    private static boolean isTable(Call c) {
      return !c.instruction().kernel().endsWith("_grad");
    }
  }

  /** ints: axis. in: x, indices. */
  private static void gather(Call c, Launches to) {
    Operand x = c.in(0);
    int axis = (int) c.integer(0);
    long row = x.elements(axis + 1, x.rank()) * x.type().byteSize();
    gather(c, to, c.in(1), x.address(), x.elements(0, axis), x.dim(axis), row, -1);
  }

  /** ints: id of the padding, or -1. in: ids, table. */
  private static void embedding(Call c, Launches to) {
    Operand table = c.in(1);
    long row = table.dim(1) * table.type().byteSize();
    gather(c, to, c.in(0), table.address(), 1, table.dim(0), row, c.integer(0));
  }

  private static void gather(
      Call c,
      Launches to,
      Operand indices,
      long x,
      long outer,
      long bound,
      long rowBytes,
      long padding) {
    long y = c.out(0).address();
    long unit = Units.of(x, y, rowBytes);
    long row = rowBytes / unit;
    long count = indices.elements();
    to.launch(
        GATHER,
        "gather_" + unit,
        Grid.ofElements(c, outer * count * row),
        Arguments.of()
            .pointer(indices.address())
            .int32(wide(indices))
            .pointer(x)
            .pointer(y)
            .int64(outer)
            .int64(bound)
            .int64(count)
            .int64(row)
            .int64(padding)
            .pointer(c.errors())
            .int32(c.slot()));
  }

  static int wide(Operand indices) {
    return indices.type() == ElementType.INT64 ? 1 : 0;
  }

  /** in: indices, dy. */
  private static void gatherGradient(Call c, Launches to) {
    Operand dx = c.out(0);
    int axis = (int) c.integer(0);
    scatter(c, to, dx.elements(0, axis), dx.dim(axis), dx.elements(axis + 1, dx.rank()), -1);
  }

  /** in: ids, dy. */
  private static void embeddingGradient(Call c, Launches to) {
    Operand table = c.out(0);
    scatter(c, to, 1, table.dim(0), table.dim(1), c.integer(0));
  }

  private static void scatter(Call c, Launches to, long outer, long bound, long row, long padding) {
    Operand indices = c.in(0);
    Operand dx = c.out(0);
    long count = indices.elements();
    long padded = SORTED;
    while (padded < count) {
      padded *= 2;
    }
    Result sums = Result.of(to, dx);
    to.fill(sums.address(), 0, sums.bytes());
    long keys = to.scratch(8 * padded);
    to.launch(
        GATHER,
        "scatter_keys",
        Grid.ofElements(c, padded),
        Arguments.of()
            .pointer(indices.address())
            .int32(wide(indices))
            .pointer(keys)
            .int64(count)
            .int64(padded)
            .int64(bound)
            .int64(padding)
            .pointer(c.errors())
            .int32(c.slot()));
    sortPieces(c, to, keys, padded, SORTED, true);
    for (long size = 2 * SORTED; size <= padded; size *= 2) {
      for (long step = size / 2; step >= SORTED; step /= 2) {
        to.launch(
            GATHER,
            "scatter_sort_step",
            Grid.ofElements(c, padded / 2),
            Arguments.of().pointer(keys).int64(padded).int64(size).int64(step));
      }
      sortPieces(c, to, keys, padded, size, false);
    }
    to.launch(
        GATHER,
        Stored.name("scatter_add", c.in(1).type()),
        Grid.ofWarps(c, outer * count * ((row + 31) / 32)),
        Arguments.of()
            .pointer(keys)
            .pointer(c.address(1))
            .pointer(sums.address())
            .int64(outer)
            .int64(bound)
            .int64(count)
            .int64(row));
    sums.store(c, to);
  }

  private static void sortPieces(
      Call c, Launches to, long keys, long padded, long size, boolean whole) {
    to.launch(
        GATHER,
        "scatter_sort_pieces",
        Grid.ofBlocks(c, padded / SORTED),
        Arguments.of().pointer(keys).int64(padded).int64(size).int32(whole ? 1 : 0));
  }

  /** ints: axis. */
  private static void argMax(Call c, Launches to) {
    Operand x = c.in(0);
    int axis = (int) c.integer(0);
    long outer = x.elements(0, axis);
    long inner = x.elements(axis + 1, x.rank());
    to.launch(
        "arg_max",
        "arg_max",
        inner == 1 ? Grid.ofWarps(c, outer) : Grid.ofElements(c, outer * inner),
        Arguments.of()
            .pointer(x.address())
            .pointer(c.out(0).address())
            .int64(outer)
            .int64(x.dim(axis))
            .int64(inner));
  }

  private static void topK(Call c, Launches to) {
    Operand x = c.in(0);
    long rows = x.rows();
    long n = x.last();
    long k = c.out(0).last();
    boolean large = k > MOST_BEST;
    to.launch(
        "top_k",
        large ? "top_k_large" : "top_k",
        large ? Grid.ofElements(c, rows * n) : Grid.ofBlocks(c, k == 0 ? 0 : rows),
        Arguments.of()
            .pointer(x.address())
            .pointer(c.out(0).address())
            .pointer(c.out(1).address())
            .int64(rows)
            .int64(n)
            .int64(k));
  }

  /** in: positions, dy. */
  private static void topKGradient(Call c, Launches to) {
    Operand dx = c.out(0);
    long k = c.in(0).last();
    to.fill(dx.address(), 0, dx.bytes());
    to.launch(
        "top_k",
        "top_k_grad",
        Grid.ofElements(c, dx.rows() * k),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(1))
            .pointer(dx.address())
            .int64(dx.rows())
            .int64(dx.last())
            .int64(k));
  }
}
