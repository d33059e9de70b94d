package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;
import java.util.HashMap;
import java.util.Map;

/** Layers of bytes, and weights of few bits. */
final class QuantizedKernels {
  private static final String QUANTIZE = "int8_quantize";
  private static final String LINEAR = "int8_linear";
  private static final String TILES = "int8_tiles";
  private static final long TILED_ROWS = 16; // of a product of tensor cores
  private static final String POOL = "int8_pool";
  private static final String EMBEDDING = "int8_embedding";
  private static final String FEW_BITS = "weight_only_linear";
  private static final long FEW_ROWS = 16; // of x, beyond which weights become float32 in memory

  private QuantizedKernels() {}

  static Map<String, Kernel> kernels() {
    Map<String, Kernel> all = new HashMap<>();
    all.put("quantize_linear", (c, to) -> convert(c, to, c.out(0)));
    all.put("dequantize_linear", (c, to) -> convert(c, to, c.in(0)));
    all.put("dynamic_quantize_linear", QuantizedKernels::dynamic);
    all.put("quantized_add", QuantizedKernels::add);
    all.put("quantized_linear", QuantizedKernels::linear);
    all.put("dynamic_quantized_linear", QuantizedKernels::dynamicLinear);
    all.put("quantized_conv2d", QuantizedKernels::convolution);
    all.put("quantized_average_pool2d", QuantizedKernels::averagePool);
    all.put("quantized_global_average_pool", QuantizedKernels::globalAveragePool);
    all.put("quantized_embedding", new IndexKernels.Indexed(0, QuantizedKernels::embedding));
    all.put("pack_quantized", QuantizedKernels::pack);
    all.put("pack_quantized_table", QuantizedKernels::packTable);
    all.put("fake_quantize_weights", QuantizedKernels::fakeWeights);
    all.put("weight_only_linear", QuantizedKernels::weightOnly);
    all.put("pack_weight_only", QuantizedKernels::packWeightOnly);
    return all;
  }

  /** The struct Target. */
  private static byte[] target(Operand y, long zeroPoint, boolean relu) {
    boolean floats = y.type() == ElementType.FLOAT32;
    return new Struct()
        .int64(floats ? y.address() : 0)
        .int64(floats ? 0 : y.address())
        .int64(zeroPoint)
        .int64(relu ? 1 : 0)
        .toBytes();
  }

  private static void launch(
      Call c, Launches to, String family, String kernel, long elements, Arguments arguments) {
    to.launch(family, kernel, Grid.ofElements(c, elements), Grid.THREADS, 0, arguments);
  }

  /** ints: zero point; floats: scale. */
  private static void convert(Call c, Launches to, Operand bytes) {
    long n = bytes.elements();
    launch(
        c,
        to,
        QUANTIZE,
        c.instruction().kernel(),
        n,
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.out(0).address())
            .int64(n)
            .float32(c.real(0))
            .int32(c.integer(0))
            .int32(bytes.type() == ElementType.INT8 ? 1 : 0));
  }

  /** out: bytes, scales and zero points of the rows. */
  private static void dynamic(Call c, Launches to) {
    Rows rows = Rows.of(c);
    to.launch(
        QUANTIZE,
        "dynamic_quantize_linear",
        Grid.ofBlocks(c, rows.count()),
        Grid.THREADS,
        0,
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.out(0).address())
            .pointer(c.out(1).address())
            .pointer(c.out(2).address())
            .int64(rows.count())
            .int64(rows.length()));
  }

  /** ints: ReLU or not, zero points of a, b and y; floats: scales of a and b. */
  private static void add(Call c, Launches to) {
    long n = c.in(0).elements();
    launch(
        c,
        to,
        QUANTIZE,
        "quantized_add",
        n,
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(1))
            .struct(target(c.out(0), c.integer(3), c.integer(0) != 0))
            .int64(n)
            .int32(c.integer(1))
            .int32(c.integer(2))
            .float32(c.real(0))
            .float32(c.real(1)));
  }

  /** in: x, packed; ints: ReLU or not, zero point of y. */
  private static void linear(Call c, Launches to) {
    Operand y = c.out(0);
    product(
        c,
        to,
        "quantized_linear",
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(1))
            .struct(target(y, c.integer(1), c.integer(0) != 0))
            .int64(c.in(0).rows())
            .int64(y.last())
            .int64(c.in(0).last()));
  }

  /** in: x, scales and zero points of its rows, packed, bias?; ints: ReLU or not. */
  private static void dynamicLinear(Call c, Launches to) {
    Operand y = c.out(0);
    product(
        c,
        to,
        "dynamic_quantized_linear",
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(1))
            .pointer(c.address(2))
            .pointer(c.address(3))
            .pointer(c.address(4))
            .pointer(y.address())
            .int64(c.in(0).rows())
            .int64(y.last())
            .int64(c.in(0).last())
            .int32(c.integer(0)));
  }

  /**
   * By tensor cores where an output's tile has some rows: great tiles if there are enough for all
   * multiprocessors, small ones else. The sums are whole numbers: which way it goes changes no bit.
   */
  private static void product(Call c, Launches to, String kernel, Arguments arguments) {
    Operand y = c.out(0);
    if (y.rows() < TILED_ROWS) {
      launch(c, to, LINEAR, kernel, y.elements(), arguments);
      return;
    }
    boolean great = tiles(y, 128) >= c.processor().multiprocessors();
    int side = great ? 128 : 64;
    int threads = great ? 256 : 128;
    long blocks = Grid.ofBlocks(c, tiles(y, side));
    to.launch(TILES, kernel + "_tiles_" + side, blocks, threads, 0, arguments);
  }

  private static long tiles(Operand y, long side) {
    return ((y.rows() + side - 1) / side) * ((y.last() + side - 1) / side);
  }

  /** ints: as a convolution's, rows and columns of a window, zero points of x and y. */
  private static void convolution(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    boolean image = x.rank() == 4;
    byte[] geometry =
        new Struct()
            .int64(x.dim(0))
            .int64(image ? x.dim(1) : 1)
            .int64(x.dim(-2))
            .int64(x.last())
            .int64(image ? y.dim(1) : 1)
            .int64(y.dim(-2))
            .int64(y.last())
            .int64(c.integer(8))
            .int64(c.integer(9))
            .int64(c.integer(0))
            .int64(c.integer(1))
            .int64(c.integer(2))
            .int64(c.integer(3))
            .int64(c.integer(4))
            .int64(c.integer(5))
            .int64(c.integer(10))
            .toBytes();
    launch(
        c,
        to,
        LINEAR,
        "quantized_conv2d",
        y.elements(),
        Arguments.of()
            .pointer(x.address())
            .pointer(c.address(1))
            .struct(target(y, c.integer(11), c.integer(7) != 0))
            .struct(geometry));
  }

  /** ints: as a pool's, zero points of x and y; floats: scale. */
  private static void averagePool(Call c, Launches to) {
    Operand y = c.out(0);
    launch(
        c,
        to,
        POOL,
        "quantized_average_pool2d",
        y.elements(),
        Arguments.of()
            .pointer(c.address(0))
            .struct(target(y, c.integer(8), false))
            .struct(PoolingKernels.pool(c, c.in(0), y))
            .int32(c.integer(7))
            .float32(c.real(0)));
  }

  /** ints: zero points of x and y; floats: scale. */
  private static void globalAveragePool(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    launch(
        c,
        to,
        POOL,
        "quantized_global_average_pool",
        y.elements(),
        Arguments.of()
            .pointer(x.address())
            .struct(target(y, c.integer(1), false))
            .int64(x.dim(0))
            .int64(x.elements(1, x.rank() - 1))
            .int64(x.last())
            .int32(c.integer(0))
            .float32(c.real(0)));
  }

  /** in: ids, packed. */
  private static void embedding(Call c, Launches to) {
    Operand y = c.out(0);
    launch(
        c,
        to,
        EMBEDDING,
        "quantized_embedding",
        y.elements(),
        Arguments.of()
            .pointer(c.address(0))
            .int32(IndexKernels.wide(c.in(0)))
            .pointer(c.address(1))
            .struct(target(y, 0, false))
            .int64(c.in(1).dim(0))
            .int64(c.in(0).elements())
            .int64(y.last())
            .int64(c.in(1).last())
            .pointer(c.errors())
            .int32(c.slot()));
  }

  /** in: packed (written), w, scales, bias?; ints: zero point, rows of a run; floats: scales. */
  private static void pack(Call c, Launches to) {
    Operand w = c.in(1);
    launch(
        c,
        to,
        LINEAR,
        "pack_quantized",
        w.last(),
        Arguments.of()
            .pointer(w.address())
            .pointer(c.address(2))
            .pointer(c.address(3))
            .pointer(c.address(0))
            .int64(w.rows())
            .int64(w.last())
            .int64(c.integer(1))
            .int32(c.integer(0))
            .float32(c.real(0))
            .float32(c.real(1)));
  }

  /** in: packed (written), table, scales; ints: padding, zero point of y; floats: scale of y. */
  private static void packTable(Call c, Launches to) {
    Operand table = c.in(1);
    launch(
        c,
        to,
        EMBEDDING,
        "pack_quantized_table",
        table.elements(),
        Arguments.of()
            .pointer(table.address())
            .pointer(c.address(2))
            .pointer(c.address(0))
            .int64(table.rows())
            .int64(table.last())
            .int64(c.in(0).last())
            .int64(c.integer(0))
            .int32(c.integer(1))
            .float32(c.real(0)));
  }

  private static void fakeWeights(Call c, Launches to) {
    Operand w = c.in(0);
    to.launch(
        "fake_quantize",
        "fake_quantize_weights",
        Grid.ofBlocks(c, (w.last() + 31) / 32),
        Grid.THREADS,
        0,
        Arguments.of()
            .pointer(w.address())
            .pointer(c.out(0).address())
            .int64(w.rows())
            .int64(w.last()));
  }

  /** in: x, packed, bias?; ints: activation, bits, rows of w that share a scale (0: all). */
  private static void weightOnly(Call c, Launches to) {
    Operand y = c.out(0);
    long m = c.in(0).rows();
    long n = y.last();
    long k = c.in(0).last();
    long group = group(c.integer(2), k);
    if (m <= FEW_ROWS || k == 0) {
      launch(
          c,
          to,
          FEW_BITS,
          "weight_only_linear",
          m * n,
          Arguments.of()
              .pointer(c.address(0))
              .pointer(c.address(1))
              .pointer(y.address())
              .int64(m)
              .int64(n)
              .int64(k)
              .int32(c.integer(1))
              .int64(group));
    } else {
      long w = to.scratch(4 * k * n);
      launch(
          c,
          to,
          FEW_BITS,
          "unpack_weight_only",
          k * n,
          Arguments.of()
              .pointer(c.address(1))
              .pointer(w)
              .int64(n)
              .int64(k)
              .int32(c.integer(1))
              .int64(group));
      to.product(Product.of(m, n, k, c.address(0), false, w, false, y.address()));
    }
    BiasActivation.launch(to, y, c.address(2), (int) c.integer(0));
  }

  /** in: packed (written), w, scales; ints: bits, rows of w that share a scale (0: all). */
  private static void packWeightOnly(Call c, Launches to) {
    Operand w = c.in(1);
    launch(
        c,
        to,
        FEW_BITS,
        "pack_weight_only",
        w.last() * Math.max(1, w.rows()),
        Arguments.of()
            .pointer(w.address())
            .pointer(c.address(2))
            .pointer(c.address(0))
            .int64(w.last())
            .int64(w.rows())
            .int32(c.integer(0))
            .int64(group(c.integer(1), w.rows())));
  }

  private static long group(long rows, long k) {
    return rows > 0 ? rows : Math.max(1, k);
  }
}
