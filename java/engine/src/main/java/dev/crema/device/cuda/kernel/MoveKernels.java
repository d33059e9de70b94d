package dev.crema.device.cuda.kernel;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** What moves elements: joins, cuts, transposes, slices, pads, stores. */
final class MoveKernels {
  private static final int AXES = 8;

  private MoveKernels() {}

  static Map<String, Kernel> kernels() {
    Map<String, Kernel> all = new HashMap<>();
    all.put("concat", MoveKernels::concat);
    all.put("split", MoveKernels::split);
    all.put("transpose", MoveKernels::transpose);
    all.put("slice", MoveKernels::slice);
    all.put("slice_grad", MoveKernels::sliceGradient);
    all.put("pad", MoveKernels::pad);
    all.put("pad_grad", MoveKernels::padGradient);
    all.put("assign", MoveKernels::assign);
    return all;
  }

  private static void concat(Call c, Launches to) {
    int axis = (int) c.integer(0);
    Operand y = c.out(0);
    int bytes = y.type().byteSize();
    long row = y.elements(axis, y.rank()) * bytes;
    long at = y.address();
    for (int i = 0; i < c.ins(); i++) {
      long run = c.in(i).elements(axis, y.rank()) * bytes;
      Units.rows(c, to, "concat", c.address(i), at, y.elements(0, axis), run, run, row);
      at += run;
    }
  }

  private static void split(Call c, Launches to) {
    int axis = (int) c.integer(0);
    Operand x = c.in(0);
    int bytes = x.type().byteSize();
    long row = x.elements(axis, x.rank()) * bytes;
    long at = x.address();
    for (int i = 0; i < c.outs(); i++) {
      long run = c.out(i).elements(axis, x.rank()) * bytes;
      Units.rows(c, to, "split", at, c.out(i).address(), x.elements(0, axis), run, row, run);
      at += run;
    }
  }

  /** ints: which axis of x becomes each axis of y. */
  private static void transpose(Call c, Launches to) {
    transpose(c, to, c.in(0), c.instruction().ints(), c.out(0).address());
  }

  /**
   * Writes x with its axes in another order.
   *
   * @param order which axis of x becomes each axis of what is written
   */
  static void transpose(Call c, Launches to, Operand x, long[] order, long into) {
    long from = x.address();
    int bytes = x.type().byteSize();
    if (x.elements() == 0) {
      return;
    }
    Permutation axes = Permutation.of(x, order);
    int last = axes.rank() - 1;
    if (last < 0 || axes.in()[last] == 1) {
      Units.strided(c, to, "transpose", "permute", from, into, axes.dims(), axes.in(), bytes);
      return;
    }
    int inner = 0; // the axis of y along which x is contiguous
    while (axes.in()[inner] != 1) {
      inner++;
    }
    long rows = axes.dims()[last];
    long columns = axes.dims()[inner];
    long[] around = Permutation.without(axes.dims(), inner, last);
    long count = Arrays.stream(around).reduce(1, (a, b) -> a * b);
    Struct matrices =
        new Struct()
            .int64(rows)
            .int64(columns)
            .int64(axes.in()[last])
            .int64(axes.out()[inner])
            .int64(count);
    for (long[] strides : new long[][] {axes.in(), axes.out()}) {
      matrices
          .int64(around.length)
          .int64s(around, AXES)
          .int64s(Permutation.without(strides, inner, last), AXES);
    }
    to.launch(
        "transpose",
        "transpose_" + bytes,
        Grid.ofBlocks(c, count * ((rows + 31) / 32) * ((columns + 31) / 32)),
        Arguments.of().pointer(from).pointer(into).struct(matrices.toBytes()));
  }

  /** ints: begin of each axis, then step of each axis. */
  private static void slice(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    int rank = x.rank();
    long[] strides = new long[rank];
    long first = 0;
    long n = 1;
    for (int a = rank - 1; a >= 0; a--) {
      strides[a] = n * c.integer(rank + a);
      first += n * c.integer(a);
      n *= x.dim(a);
    }
    int bytes = x.type().byteSize();
    long from = x.address() + first * bytes;
    Units.strided(c, to, "slice", "slice", from, y.address(), y.shape(), strides, bytes);
  }

  private static void sliceGradient(Call c, Launches to) {
    Operand whole = c.out(0);
    Operand part = c.in(0);
    int rank = whole.rank();
    long[] ints = c.instruction().ints();
    byte[] struct =
        new Struct()
            .int64(rank)
            .int64s(whole.shape(), AXES)
            .int64s(Arrays.copyOf(ints, rank), AXES)
            .int64s(Arrays.copyOfRange(ints, rank, 2 * rank), AXES)
            .int64s(part.shape(), AXES)
            .toBytes();
    long n = whole.elements();
    to.launch(
        "slice",
        "slice_grad_" + part.type().byteSize(),
        Grid.ofElements(c, n),
        Arguments.of().pointer(part.address()).pointer(whole.address()).int64(n).struct(struct));
  }

  private static void pad(Call c, Launches to) {
    Operand y = c.out(0);
    to.launch(
        "pad",
        Stored.name("pad", y.type()),
        Grid.ofElements(c, y.elements()),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(y.address())
            .int64(y.elements())
            .struct(padding(c, c.in(0), y))
            .float32(c.real(0)));
  }

  private static void padGradient(Call c, Launches to) {
    Operand dx = c.out(0);
    to.launch(
        "pad",
        Stored.name("pad_grad", dx.type()),
        Grid.ofElements(c, dx.elements()),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(dx.address())
            .int64(dx.elements())
            .struct(padding(c, dx, c.in(0))));
  }

  /** The struct Padding. ints: mode, elements before each axis. */
  private static byte[] padding(Call c, Operand inside, Operand padded) {
    long[] before = Arrays.copyOfRange(c.instruction().ints(), 1, 1 + inside.rank());
    return new Struct()
        .int64(inside.rank())
        .int64(c.integer(0))
        .int64s(inside.shape(), AXES)
        .int64s(before, AXES)
        .int64s(padded.shape(), AXES)
        .toBytes();
  }

  /** in: variable (written), value; ints: whether it is added. The two may overlap. */
  private static void assign(Call c, Launches to) {
    Operand variable = c.in(0);
    long bytes = variable.bytes();
    long from = c.address(1);
    long into = variable.address();
    if (from != into && from < into + bytes && into < from + bytes) {
      long copy = to.scratch(bytes);
      to.copy(copy, from, bytes);
      from = copy;
    }
    boolean added = c.integer(0) != 0;
    long unit = added ? 4 : Units.of(from, into, bytes);
    to.launch(
        "assign",
        added ? "assign_add" : "assign_" + unit,
        Grid.ofElements(c, bytes / unit),
        Arguments.of().pointer(from).pointer(into).pointer(c.errors()).int64(bytes / unit));
  }
}
