package dev.crema.device.cuda.kernel;

import java.util.Map;

/** Layer, RMS and batch normalisation and dropout. */
final class NormKernels {
  private static final String LAYER = "norm_layer";
  static final String BATCH = "norm_batch";
  private static final long LEAST_ROWS = 64; // of a piece
  private static final long MOST_PIECES = 512;

  private NormKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "layer_norm", NormKernels::layer,
        "rms_norm", (c, to) -> rows(c, to, false),
        "layer_norm_grad", NormKernels::layerGradient,
        "rms_norm_grad", (c, to) -> rowsGradient(c, to, false),
        "batch_norm", NormKernels::batch,
        "batch_norm_grad", NormKernels::batchGradient,
        "dropout", NormKernels::dropout);
  }

  private static void layer(Call c, Launches to) {
    if (!CudnnLayerNorm.fits(c)) {
      rows(c, to, true);
      return;
    }
    CudnnWay.either(
        c,
        to,
        CudnnLayerNorm.form("layer_norm", c),
        launches -> rows(c, launches, true),
        launches -> CudnnLayerNorm.forward(c, launches));
  }

  private static void layerGradient(Call c, Launches to) {
    if (!CudnnNorm.fitsGradient(c)) {
      rowsGradient(c, to, true);
      return;
    }
    CudnnWay.either(
        c,
        to,
        CudnnLayerNorm.form("layer_norm_grad", c),
        launches -> rowsGradient(c, launches, true),
        launches -> CudnnLayerNorm.backward(c, launches));
  }

  /** in: x, gamma?, beta?. out: y, mean (centred only), 1 / deviation. floats: epsilon. */
  private static void rows(Call c, Launches to, boolean centred) {
    Rows rows = Rows.of(c);
    Arguments arguments =
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(1))
            .pointer(c.address(2))
            .pointer(c.out(0).address())
            .pointer(c.out(1).address());
    if (centred) {
      arguments.pointer(c.out(2).address());
    }
    rows.launchCached(
        to, LAYER, centred ? "layer_norm" : "rms_norm", arguments.int64(rows.count()), c.real(0));
  }

  /** in: x, gamma?, mean (centred only), 1 / deviation, dy. out: dx, dgamma, dbeta. */
  private static void rowsGradient(Call c, Launches to, boolean centred) {
    Rows rows = Rows.of(c);
    int inverse = centred ? 3 : 2;
    Arguments arguments = Arguments.of().pointer(c.address(0)).pointer(c.address(1));
    if (centred) {
      arguments.pointer(c.address(2));
    }
    arguments
        .pointer(c.address(inverse))
        .pointer(c.address(inverse + 1))
        .pointer(c.out(0).address())
        .int64(rows.count());
    rows.launch(to, LAYER, centred ? "layer_norm_grad" : "rms_norm_grad", arguments);
    long n = rows.length();
    long piece = piece(rows.count());
    long pieces = (rows.count() + piece - 1) / piece;
    long partial = to.scratch(Math.max(1, 8 * pieces * n));
    to.launch(
        LAYER,
        Stored.name("norm_grad_columns", c.in(0).type()),
        Grid.ofBlocks(c, pieces * ((n + 31) / 32)),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(centred ? c.address(2) : 0)
            .pointer(c.address(inverse))
            .pointer(c.address(inverse + 1))
            .pointer(partial)
            .int64(rows.count())
            .int64(n)
            .int64(piece));
    to.launch(
        LAYER,
        "norm_grad_finish",
        Grid.ofElements(c, n),
        Arguments.of()
            .pointer(partial)
            .pointer(c.out(1).address())
            .pointer(c.out(2).address())
            .int64(pieces)
            .int64(n));
  }

  /** Rows of a piece of sums over rows: as few pieces as are summed one after the other quickly. */
  private static long piece(long rows) {
    return Math.max(LEAST_ROWS, (rows + MOST_PIECES - 1) / MOST_PIECES);
  }

  /**
   * in: x, gamma?, beta?, running mean and variance (written). out: y, mean, 1 / deviation. floats:
   * epsilon, momentum.
   */
  private static void batch(Call c, Launches to) {
    long n = c.in(0).last();
    long rows = c.in(0).rows();
    if (n == 0) {
      return;
    }
    if (rows == 0) {
      to.fill(c.out(1).address(), 0, 4 * n);
      to.fill(c.out(2).address(), 0, 4 * n);
      return;
    }
    if (!CudnnBatchNorm.fits(c)) {
      batch(c, to, rows, n);
      return;
    }
    CudnnWay.either(
        c,
        to,
        CudnnBatchNorm.form("batch_norm", c),
        launches -> batch(c, launches, rows, n),
        launches -> CudnnBatchNorm.forward(c, launches));
  }

  private static void batch(Call c, Launches to, long rows, long n) {
    long piece = piece(rows);
    long pieces = (rows + piece - 1) / piece;
    long partial = to.scratch(8 * pieces * n);
    long scale = to.scratch(4 * n);
    long shift = to.scratch(4 * n);
    to.launch(
        BATCH,
        Stored.name("batch_norm_pieces", c.in(0).type()),
        Grid.ofBlocks(c, pieces * ((n + 31) / 32)),
        Arguments.of().pointer(c.address(0)).pointer(partial).int64(rows).int64(n).int64(piece));
    to.launch(
        BATCH,
        "batch_norm_finish",
        Grid.ofWarps(c, n),
        Arguments.of()
            .pointer(partial)
            .pointer(c.address(1))
            .pointer(c.address(2))
            .pointer(c.address(3))
            .pointer(c.address(4))
            .pointer(c.out(1).address())
            .pointer(c.out(2).address())
            .pointer(scale)
            .pointer(shift)
            .pointer(c.errors())
            .int64(rows)
            .int64(n)
            .int64(piece)
            .float32(c.real(0))
            .float32(c.real(1)));
    to.launch(
        BATCH,
        Stored.name("batch_norm_apply", c.in(0).type()),
        Grid.ofFours(c, rows * n),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.out(1).address())
            .pointer(scale)
            .pointer(shift)
            .pointer(c.out(0).address())
            .int64(rows)
            .int64(n));
  }

  /** in: x, gamma?, mean, 1 / deviation, dy. out: dx, dgamma, dbeta. */
  private static void batchGradient(Call c, Launches to) {
    long n = c.in(0).last();
    long rows = c.in(0).rows();
    if (n == 0) {
      return;
    }
    if (!CudnnNorm.fitsGradient(c)) {
      batchGradient(c, to, rows, n);
      return;
    }
    CudnnWay.either(
        c,
        to,
        CudnnBatchNorm.form("batch_norm_grad", c),
        launches -> batchGradient(c, launches, rows, n),
        launches -> CudnnBatchNorm.backward(c, launches));
  }

  private static void batchGradient(Call c, Launches to, long rows, long n) {
    long piece = piece(rows);
    long pieces = (rows + piece - 1) / piece;
    long partial = to.scratch(Math.max(1, 8 * pieces * n));
    long scale = to.scratch(4 * n);
    long share = to.scratch(4 * n);
    long slope = to.scratch(4 * n);
    to.launch(
        BATCH,
        Stored.name("batch_norm_grad_pieces", c.in(0).type()),
        Grid.ofBlocks(c, pieces * ((n + 31) / 32)),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(2))
            .pointer(c.address(4))
            .pointer(partial)
            .int64(rows)
            .int64(n)
            .int64(piece));
    to.launch(
        BATCH,
        "batch_norm_grad_finish",
        Grid.ofWarps(c, n),
        Arguments.of()
            .pointer(partial)
            .pointer(c.address(1))
            .pointer(c.address(3))
            .pointer(c.out(1).address())
            .pointer(c.out(2).address())
            .pointer(scale)
            .pointer(share)
            .pointer(slope)
            .int64(rows)
            .int64(n)
            .int64(pieces));
    to.launch(
        BATCH,
        Stored.name("batch_norm_grad_apply", c.in(0).type()),
        Grid.ofFours(c, rows * n),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(2))
            .pointer(c.address(4))
            .pointer(scale)
            .pointer(share)
            .pointer(slope)
            .pointer(c.out(0).address())
            .int64(rows)
            .int64(n));
  }

  /** in: x, counter. floats: p; ints: stream. */
  private static void dropout(Call c, Launches to) {
    double p = c.real(0);
    long n = c.in(0).elements();
    to.launch(
        "dropout",
        Stored.name("dropout", c.in(0).type()),
        Grid.ofFours(c, n),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(1))
            .pointer(c.out(0).address())
            .int64(n)
            .int32((int) (long) (p * 4294967296.0))
            .float32(p < 1 ? 1 / (1 - p) : 0)
            .int32((int) c.integer(0)));
  }
}
