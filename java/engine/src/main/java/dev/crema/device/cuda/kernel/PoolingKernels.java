package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;
import java.util.HashMap;
import java.util.Map;

/** Pooling of images or, as images of one row, sequences; channels last. */
final class PoolingKernels {
  private static final String WINDOWS = "pooling";
  private static final String GLOBAL = "pooling_global";

  private PoolingKernels() {}

  static Map<String, Kernel> kernels() {
    Map<String, Kernel> all = new HashMap<>();
    all.put("max_pool2d", PoolingKernels::max);
    all.put(
        "average_pool2d", (c, to) -> forward(c, to, Stored.name("average_pool2d", c.in(0).type())));
    all.put("max_pool2d_grad", PoolingKernels::maxGradient);
    all.put("average_pool2d_grad", PoolingKernels::averageGradient);
    all.put("global_average_pool", (c, to) -> global(c, to, "sum", true));
    all.put("global_max_pool", (c, to) -> global(c, to, "max", false));
    all.put("global_average_pool_grad", PoolingKernels::globalAverageGradient);
    all.put("global_max_pool_grad", PoolingKernels::globalMaxGradient);
    return all;
  }

  /** The struct Pool. ints: window, stride, top and left padding, whether averages count it. */
  static byte[] pool(Call c, Operand x, Operand y) {
    boolean image = x.rank() == 4;
    return new Struct()
        .int64(x.dim(0))
        .int64(x.last())
        .int64(image ? x.dim(1) : 1)
        .int64(image ? y.dim(1) : 1)
        .int64(c.integer(0))
        .int64(c.integer(2))
        .int64(c.integer(4))
        .int64(x.dim(-2))
        .int64(y.dim(-2))
        .int64(c.integer(1))
        .int64(c.integer(3))
        .int64(c.integer(5))
        .int64(c.integer(6))
        .toBytes();
  }

  private static void max(Call c, Launches to) {
    boolean bytes = c.in(0).type() == ElementType.UINT8;
    forward(c, to, bytes ? "max_pool2d_u8" : Stored.name("max_pool2d", c.in(0).type()));
  }

  private static void forward(Call c, Launches to, String kernel) {
    Operand y = c.out(0);
    launch(
        c,
        to,
        kernel,
        y.elements(),
        Arguments.of().pointer(c.address(0)).pointer(y.address()).struct(pool(c, c.in(0), y)));
  }

  /** in: x, y, dy. */
  private static void maxGradient(Call c, Launches to) {
    Operand dx = c.out(0);
    launch(
        c,
        to,
        Stored.name("max_pool2d_grad", dx.type()),
        dx.elements(),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(1))
            .pointer(c.address(2))
            .pointer(dx.address())
            .struct(pool(c, dx, c.in(1))));
  }

  private static void averageGradient(Call c, Launches to) {
    Operand dx = c.out(0);
    launch(
        c,
        to,
        Stored.name("average_pool2d_grad", dx.type()),
        dx.elements(),
        Arguments.of().pointer(c.address(0)).pointer(dx.address()).struct(pool(c, dx, c.in(0))));
  }

  private static void launch(
      Call c, Launches to, String kernel, long elements, Arguments arguments) {
    to.launch(WINDOWS, kernel, Grid.ofElements(c, elements), arguments);
  }

  private static void global(Call c, Launches to, String op, boolean mean) {
    Operand x = c.in(0);
    long pixels = x.elements(1, x.rank() - 1);
    Result result = Result.of(to, c.out(0));
    ReduceKernels.longColumns(
        c,
        to,
        Reduction.of(op, op, x.type()),
        x.address(),
        result.address(),
        x.dim(0),
        pixels,
        x.last(),
        mean ? pixels : 1);
    result.store(c, to);
  }

  private static void globalAverageGradient(Call c, Launches to) {
    Operand dx = c.out(0);
    to.launch(
        GLOBAL,
        Stored.name("global_average_pool_grad", dx.type()),
        Grid.ofElements(c, dx.elements()),
        frames(Arguments.of().pointer(c.address(0)).pointer(dx.address()), dx));
  }

  /** in: x, y, dy. */
  private static void globalMaxGradient(Call c, Launches to) {
    Operand dx = c.out(0);
    to.launch(
        GLOBAL,
        Stored.name("global_max_pool_grad", dx.type()),
        Grid.ofElements(c, dx.dim(0) * dx.last()),
        frames(
            Arguments.of()
                .pointer(c.address(0))
                .pointer(c.address(1))
                .pointer(c.address(2))
                .pointer(dx.address()),
            dx));
  }

  private static Arguments frames(Arguments arguments, Operand dx) {
    return arguments.int64(dx.dim(0)).int64(dx.elements(1, dx.rank() - 1)).int64(dx.last());
  }
}
