package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;
import java.util.HashMap;
import java.util.Map;

/** Layers of bytes beside products, and numbers to bytes and back. */
final class QuantizedKernels {
  private static final String QUANTIZE = "int8_quantize";
  private static final String POOL = "int8_pool";
  private static final String EMBEDDING = "int8_embedding";

  private QuantizedKernels() {}

  static Map<String, Kernel> kernels() {
    Map<String, Kernel> all = new HashMap<>();
    all.put("quantize_linear", (c, to) -> convert(c, to, c.out(0)));
    all.put("dequantize_linear", (c, to) -> convert(c, to, c.in(0)));
    all.put("dynamic_quantize_linear", QuantizedKernels::dynamic);
    all.put("quantized_add", QuantizedKernels::add);
    all.put("quantized_average_pool2d", QuantizedKernels::averagePool);
    all.put("quantized_global_average_pool", QuantizedKernels::globalAveragePool);
    all.put("quantized_embedding", new IndexKernels.Indexed(0, QuantizedKernels::embedding));
    all.put("pack_quantized_table", QuantizedKernels::packTable);
    all.put(
        "fake_quantize_weights",
        (c, to) -> fake(c, to, Grid.ofBlocks(c, (c.in(0).last() + 31) / 32)));
    all.put("fake_quantize_rows", (c, to) -> fake(c, to, Grid.ofWarps(c, c.in(0).rows())));
    return all;
  }

  /** The struct Target. */
  static byte[] target(Operand y, long zeroPoint, boolean relu) {
    boolean floats = y.type() == ElementType.FLOAT32;
    return new Struct()
        .int64(floats ? y.address() : 0)
        .int64(floats ? 0 : y.address())
        .int64(zeroPoint)
        .int64(relu ? 1 : 0)
        .toBytes();
  }

  /** ints: zero point; floats: scale. */
  private static void convert(Call c, Launches to, Operand bytes) {
    long n = bytes.elements();
    to.launch(
        QUANTIZE,
        c.instruction().kernel(),
        Grid.ofFours(c, n),
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
    to.launch(
        QUANTIZE,
        "quantized_add",
        Grid.of(c, n, 8 * Grid.THREADS),
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

  /** ints: as a pool's, zero points of x and y; floats: scale. */
  private static void averagePool(Call c, Launches to) {
    Operand y = c.out(0);
    to.launch(
        POOL,
        "quantized_average_pool2d",
        Grid.ofElements(c, y.elements()),
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
    to.launch(
        POOL,
        "quantized_global_average_pool",
        Grid.ofElements(c, y.elements()),
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
    to.launch(
        EMBEDDING,
        "quantized_embedding",
        Grid.ofElements(c, y.elements()),
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

  /** in: packed (written), table, scales; ints: padding, zero point of y; floats: scale of y. */
  private static void packTable(Call c, Launches to) {
    Operand table = c.in(1);
    to.launch(
        EMBEDDING,
        "pack_quantized_table",
        Grid.ofElements(c, table.elements()),
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

  private static void fake(Call c, Launches to, long blocks) {
    Operand x = c.in(0);
    to.launch(
        "fake_quantize",
        c.instruction().kernel(),
        blocks,
        Arguments.of()
            .pointer(x.address())
            .pointer(c.out(0).address())
            .int64(x.rows())
            .int64(x.last()));
  }
}
