package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Chains of element-wise operations, of tensors of any floating types. One operation on operands of
 * the output's shape or on single numbers has a kernel of its own; others are walked by one that
 * reads the chain.
 */
final class ElementwiseKernels {
  private static final String FAMILY = "elementwise";
  private static final int STEP = 6; // ints of a step
  private static final int MOST_REGISTERS = 24;
  private static final int MOST_STEPS = 96;
  private static final int PARAMETERS = 4 * MOST_REGISTERS + 4;
  private static final int CHAIN_THREADS = 128;
  private static final int CHAIN_ELEMENTS = 512; // of a block
  private static final int NONE = 255; // an operand that a step lacks

  /** Operations with a kernel of their own for operands of any types (elementwise.cuh). */
  static final List<String> MIXED =
      List.of(
          "add",
          "sub",
          "mul",
          "copy",
          "affine",
          "relu",
          "relu_grad",
          "leaky_relu",
          "leaky_relu_grad",
          "sigmoid",
          "sigmoid_grad",
          "tanh",
          "tanh_grad",
          "silu",
          "silu_grad",
          "gelu",
          "gelu_grad",
          "gelu_tanh",
          "gelu_tanh_grad");

  private ElementwiseKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "elementwise", ElementwiseKernels::chain, "mean_scale", ElementwiseKernels::meanScale);
  }

  private static void chain(Call c, Launches to) {
    long n = c.out(0).elements();
    if (isSingle(c, n)) {
      single(c, to, n);
      return;
    }
    int steps = (int) c.integer(0);
    int registers = c.ins() + c.outs();
    int[][] columns = new int[STEP][steps];
    for (int s = 0; s < steps; s++) {
      for (int k = 0; k < STEP; k++) {
        int value = (int) c.integer(1 + s * STEP + k);
        columns[k][s] = value < 0 ? NONE : value;
      }
      registers = Math.max(registers, columns[1][s] + 1);
    }
    Struct chain = new Struct().int32(c.ins()).int32(c.outs()).int32(registers).int32(steps);
    for (int[] column : columns) {
      chain.bytes(column, MOST_STEPS);
    }
    chain.bytes(types(c.ins(), c::in), MOST_REGISTERS);
    chain.bytes(types(c.outs(), c::out), MOST_REGISTERS);
    chain.float32s(c.instruction().floats(), PARAMETERS);
    for (int i = 0; i < MOST_REGISTERS; i++) {
      if (i < c.ins()) {
        access(c.in(i), c.out(0), chain);
      } else {
        chain.int64s(new long[0], 3 + 8 + 8);
      }
    }
    for (int i = 0; i < MOST_REGISTERS; i++) {
      chain.int64(i < c.outs() ? c.out(i).address() : 0);
    }
    boolean mixed = isMixed(c);
    to.launch(
        FAMILY,
        mixed ? "elementwise_chain_mixed" : "elementwise_chain",
        Grid.of(c, n, CHAIN_ELEMENTS),
        mixed ? CHAIN_THREADS / 2 : CHAIN_THREADS,
        registers * 4 * CHAIN_ELEMENTS,
        Arguments.of().struct(chain.toBytes()).int64(n));
  }

  /** Whether a tensor is stored in 16 bits. */
  private static boolean isMixed(Call c) {
    for (int type : types(c.ins(), c::in)) {
      if (type != ElementType.FLOAT32.id()) {
        return true;
      }
    }
    for (int type : types(c.outs(), c::out)) {
      if (type != ElementType.FLOAT32.id()) {
        return true;
      }
    }
    return false;
  }

  private static int[] types(int count, IntFunction<Operand> operands) {
    int[] types = new int[count];
    for (int i = 0; i < count; i++) {
      types[i] = operands.apply(i).type().id();
    }
    return types;
  }

  /** Whether a chain is one operation whose operands are as long as the output or one number. */
  private static boolean isSingle(Call c, long n) {
    if (c.integer(0) != 1 || c.outs() != 1 || c.integer(2) != c.ins()) {
      return false;
    }
    String operation = ElementwiseOperations.NAMES.get((int) c.integer(1));
    if (isMixed(c) && !MIXED.contains(operation)) {
      return false;
    }
    for (int k = 0; k < 3; k++) {
      int register = (int) c.integer(3 + k);
      if (register >= c.ins()) {
        return false;
      }
      long elements = register < 0 ? n : c.in(register).elements();
      if (elements != n && elements != 1) {
        return false;
      }
    }
    return true;
  }

  private static void single(Call c, Launches to, long n) {
    Arguments arguments = Arguments.of();
    int repeats = 0;
    int types = c.out(0).type().id() << 6;
    for (int k = 0; k < 3; k++) {
      int register = (int) c.integer(3 + k);
      arguments.pointer(register < 0 ? 0 : c.address(register));
      if (register >= 0 && n != 1 && c.in(register).elements() == 1) {
        repeats |= 1 << k;
      }
      if (register >= 0) {
        types |= c.in(register).type().id() << 2 * k;
      }
    }
    arguments.pointer(c.out(0).address()).int64(n).int32(repeats);
    if (types != 0) {
      arguments.int32(types);
    }
    int first = (int) c.integer(6);
    for (int k = 0; k < 3; k++) {
      int at = first + k;
      arguments.float32(at < c.instruction().floats().length ? c.real(at) : 0);
    }
    String kernel = "elementwise_" + ElementwiseOperations.NAMES.get((int) c.integer(1));
    to.launch(
        FAMILY,
        types != 0 ? kernel + "_mixed" : kernel,
        Grid.ofFours(c, n),
        Grid.THREADS,
        0,
        arguments);
  }

  /** How an input is read when the output is walked in order: a ChainInput. */
  private static void access(Operand in, Operand out, Struct chain) {
    long elements = in.elements();
    if (elements == out.elements() || elements == 1) {
      chain.int64(in.address()).int64(elements).int64s(new long[0], 1 + 8 + 8);
      return;
    }
    long[] strides = new long[out.rank()];
    long stride = 1;
    for (int axis = in.rank() - 1; axis >= 0; axis--) {
      strides[out.rank() - in.rank() + axis] = in.dim(axis) == 1 ? 0 : stride;
      stride *= in.dim(axis);
    }
    List<Long> dims = new ArrayList<>();
    List<Long> merged = new ArrayList<>();
    for (int axis = 0; axis < out.rank(); axis++) {
      if (out.dim(axis) == 1) {
        continue;
      }
      int last = dims.size() - 1;
      if (last >= 0 && (strides[axis] == 0) == (merged.get(last) == 0)) {
        dims.set(last, dims.get(last) * out.dim(axis));
        merged.set(last, strides[axis]);
      } else {
        dims.add(out.dim(axis));
        merged.add(strides[axis]);
      }
    }
    boolean periodic = dims.size() == 2 && merged.get(0) == 0;
    chain
        .int64(in.address())
        .int64(periodic ? elements : 0)
        .int64(dims.size())
        .int64s(array(dims), 8)
        .int64s(array(merged), 8);
  }

  private static long[] array(List<Long> values) {
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  /** What flows back through a mean: dy divided by how many elements each mean was of. */
  private static void meanScale(Call c, Launches to) {
    long n = c.in(0).elements();
    long all = c.in(1).elements();
    affine(c, to, c.in(0), c.out(0), all == 0 ? 0 : (double) n / all);
  }

  /** Rounds float32 to an operand's type. */
  static void round(Call c, Launches to, long from, Operand into) {
    convert(c, to, new Operand(from, ElementType.FLOAT32, into.shape()), into);
  }

  /** The same numbers in another floating type. */
  static void convert(Call c, Launches to, Operand from, Operand into) {
    affine(c, to, from, into, 1);
  }

  private static void affine(Call c, Launches to, Operand x, Operand y, double scale) {
    int types = x.type().id() | y.type().id() << 6;
    Arguments arguments =
        Arguments.of()
            .pointer(x.address())
            .pointer(0)
            .pointer(0)
            .pointer(y.address())
            .int64(x.elements())
            .int32(0);
    if (types != 0) {
      arguments.int32(types);
    }
    to.launch(
        FAMILY,
        types != 0 ? "elementwise_affine_mixed" : "elementwise_affine",
        Grid.ofFours(c, x.elements()),
        Grid.THREADS,
        0,
        arguments.float32(scale).float32(0).float32(0));
  }
}
