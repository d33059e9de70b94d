package dev.crema.device.cuda;

import dev.crema.memory.HalfPrecision;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;

/** Computes operations of cuDNN's graphs as its documentation defines them, in double. */
final class FakeGraphNumbers {
  /**
   * A tensor.
   *
   * @param isVirtual between operations only
   * @param isValue a number in the host's memory
   */
  record Tensor(
      long id, int type, long[] dims, long[] strides, boolean isVirtual, boolean isValue) {
    int room() {
      long last = 0;
      for (int i = 0; i < dims.length; i++) {
        last += (dims[i] - 1) * strides[i];
      }
      return Math.toIntExact(last + 1);
    }

    /** Where an element is; extents of 1 are repeated. */
    int offset(long[] at) {
      long offset = 0;
      for (int i = 0; i < dims.length; i++) {
        offset += dims[i] == 1 ? 0 : at[i] * strides[i];
      }
      return (int) offset;
    }

    boolean isRepeatedTo(Tensor y) {
      for (int i = 0; i < dims.length; i++) {
        if (dims[i] != 1 && dims[i] != y.dims[i]) {
          return false;
        }
      }
      return dims.length == y.dims.length;
    }

    @Override
    public boolean equals(Object o) {
      return o instanceof Tensor t
          && t.id == id
          && t.type == type
          && t.isVirtual == isVirtual
          && t.isValue == isValue
          && Arrays.equals(t.dims, dims)
          && Arrays.equals(t.strides, strides);
    }

    @Override
    public int hashCode() {
      return Long.hashCode(id);
    }
  }

  sealed interface Operation {
    List<Tensor> inputs();

    List<Tensor> outputs();
  }

  record Product(Tensor a, Tensor b, Tensor c) implements Operation {
    @Override
    public List<Tensor> inputs() {
      return List.of(a, b);
    }

    @Override
    public List<Tensor> outputs() {
      return List.of(c);
    }
  }

  record Pointwise(int mode, int axis, Tensor x, Tensor b, Tensor t, Tensor y)
      implements Operation {
    @Override
    public List<Tensor> inputs() {
      return Stream.of(x, b, t).filter(Objects::nonNull).toList();
    }

    @Override
    public List<Tensor> outputs() {
      return List.of(y);
    }
  }

  record Reduction(int operator, Tensor x, Tensor y) implements Operation {
    @Override
    public List<Tensor> inputs() {
      return List.of(x);
    }

    @Override
    public List<Tensor> outputs() {
      return List.of(y);
    }
  }

  record View(Tensor x, Tensor y) implements Operation {
    @Override
    public List<Tensor> inputs() {
      return List.of(x);
    }

    @Override
    public List<Tensor> outputs() {
      return List.of(y);
    }
  }

  /**
   * Layer or batch norm, or the gradient of one.
   *
   * @param ofChannels whether it is batch norm
   * @param inputs x, gamma, beta, epsilon; of a gradient x, gamma, mean, inverse, dy
   * @param outputs y, mean, inverse; of a gradient dx, dgamma, dbeta
   */
  record Norm(boolean ofChannels, boolean gradient, List<Tensor> inputs, List<Tensor> outputs)
      implements Operation {}

  /** A convolution without padding, of two axes behind the channels. */
  record Windows(Tensor x, Tensor w, Tensor y, long[] strides, long[] dilations)
      implements Operation {
    @Override
    public List<Tensor> inputs() {
      return List.of(x, w);
    }

    @Override
    public List<Tensor> outputs() {
      return List.of(y);
    }

    boolean fits() {
      boolean all = x.dims[0] == y.dims[0] && x.dims[1] == w.dims[1] && w.dims[0] == y.dims[1];
      for (int axis = 0; axis < 2; axis++) {
        long taps = (w.dims[2 + axis] - 1) * dilations[axis] + 1;
        all &= (x.dims[2 + axis] - taps) / strides[axis] + 1 == y.dims[2 + axis];
      }
      return all;
    }
  }

  private static final int FLOAT = 0;
  private static final int HALF = 2;
  private static final int INT = 4;
  private static final int BFLOAT = 9;
  private static final int BOOLEAN = 11;

  private final List<Operation> operations;
  private final Map<Long, Long> places;
  private final Map<Long, Float> values = new HashMap<>();
  private final Set<Long> addressed = new TreeSet<>();
  private Map<Long, double[]> between; // of virtual tensors, while it computes

  /**
   * @param places addresses by id; those of numbers are read now
   */
  FakeGraphNumbers(List<Operation> operations, Map<Long, Long> places) {
    this.operations = operations;
    this.places = places;
    for (Operation each : operations) {
      for (Tensor t : tensors(each).toList()) {
        if (!t.isVirtual()) {
          addressed.add(t.id());
          if (t.isValue() && places.containsKey(t.id())) {
            values.put(t.id(), FakeKernels.view(places.get(t.id()), 4).getFloat(0));
          }
        }
      }
    }
  }

  /** The ids of the tensors that need an address. */
  Set<Long> addressed() {
    return addressed;
  }

  private static Stream<Tensor> tensors(Operation operation) {
    return Stream.concat(operation.inputs().stream(), operation.outputs().stream());
  }

  /** Finds what the documentation forbids. */
  static void check(List<Operation> operations, Consumer<String> misuse) {
    Set<Long> made = new TreeSet<>();
    for (Operation each : operations) {
      for (Tensor x : each.inputs()) {
        if (x.isVirtual() && !made.contains(x.id())) {
          misuse.accept("an operation reads what none before has made: " + each);
        }
      }
      for (Tensor y : each.outputs()) {
        if (!made.add(y.id()) || y.isValue()) {
          misuse.accept("an operation writes what is made: " + each);
        }
      }
      if (!fits(each)) {
        misuse.accept("extents do not fit: " + each);
      }
    }
  }

  private static boolean fits(Operation operation) {
    if (operation instanceof Product p) {
      long[] a = p.a().dims();
      long[] b = p.b().dims();
      return a[0] == b[0]
          && a[1] == b[1]
          && a[3] == b[2]
          && Arrays.equals(p.c().dims(), new long[] {a[0], a[1], a[2], b[3]});
    }
    if (operation instanceof Reduction r) {
      return r.y().isRepeatedTo(r.x());
    }
    if (operation instanceof View v) {
      return v.x().room() == v.y().room();
    }
    if (operation instanceof Windows w) {
      return w.fits();
    }
    if (operation instanceof Norm norm) {
      return FakeNorm.fits(norm);
    }
    Pointwise p = (Pointwise) operation;
    boolean binary = p.mode() < 10 || p.mode() == 303 || p.mode() == 601;
    return (p.b() != null) == binary
        && (p.t() != null) == (p.mode() == 601)
        && (p.axis() >= 0) == (p.mode() == 501)
        && tensors(p).allMatch(x -> x.isRepeatedTo(p.y()));
  }

  void compute() {
    between = new HashMap<>();
    for (Operation each : operations) {
      if (each instanceof Product p) {
        product(p);
      } else if (each instanceof Reduction r) {
        reduction(r);
      } else if (each instanceof Windows w) {
        windows(w);
      } else if (each instanceof View v) {
        for (int i = 0; i < v.x().room(); i++) {
          put(v.y(), i, get(v.x(), i));
        }
      } else if (each instanceof Norm norm) {
        new FakeNorm(norm, this::get, this::put).compute();
      } else {
        Pointwise p = (Pointwise) each;
        each(
            p.y().dims(),
            at -> {
              double b = p.b() == null ? 0 : get(p.b(), p.b().offset(at));
              boolean t = p.t() != null && get(p.t(), p.t().offset(at)) != 0;
              double x = get(p.x(), p.x().offset(at));
              put(p.y(), p.y().offset(at), pointwise(p, x, b, t, at));
            });
      }
    }
    between = null;
  }

  private static double pointwise(Pointwise p, double x, double b, boolean t, long[] at) {
    return switch (p.mode()) {
      case 0 -> x + b;
      case 1 -> x * b;
      case 6 -> x / b;
      case 9 -> x - b;
      case 13 -> Math.exp(x);
      case 15 -> Math.log(x);
      case 21 -> x;
      case 303 -> x >= b ? 1 : 0;
      case 501 -> at[p.axis()];
      case 601 -> t ? x : b;
      default -> throw new AssertionError("cudnnPointwiseMode_t " + p.mode());
    };
  }

  private void product(Product p) {
    each(
        p.c().dims(),
        at -> {
          double sum = 0;
          for (long k = 0; k < p.a().dims()[3]; k++) {
            sum +=
                get(p.a(), p.a().offset(new long[] {at[0], at[1], at[2], k}))
                    * get(p.b(), p.b().offset(new long[] {at[0], at[1], k, at[3]}));
          }
          put(p.c(), p.c().offset(at), sum);
        });
  }

  private void windows(Windows w) {
    each(
        w.y().dims(),
        at -> {
          double[] sum = new double[1];
          each(
              new long[] {w.w().dims()[1], w.w().dims()[2], w.w().dims()[3]},
              tap -> {
                long row = at[2] * w.strides()[0] + tap[1] * w.dilations()[0];
                long column = at[3] * w.strides()[1] + tap[2] * w.dilations()[1];
                double x = get(w.x(), w.x().offset(new long[] {at[0], tap[0], row, column}));
                double f = get(w.w(), w.w().offset(new long[] {at[1], tap[0], tap[1], tap[2]}));
                sum[0] += x * f;
              });
          put(w.y(), w.y().offset(at), sum[0]);
        });
  }

  private void reduction(Reduction r) {
    Map<Integer, Double> results = new HashMap<>();
    each(
        r.x().dims(),
        at ->
            results.merge(
                r.y().offset(at),
                get(r.x(), r.x().offset(at)),
                (a, b) ->
                    switch (r.operator()) {
                      case 0 -> a + b;
                      case 3 -> Math.max(a, b);
                      default -> throw new AssertionError("reduction " + r.operator());
                    }));
    results.forEach((offset, value) -> put(r.y(), offset, value));
  }

  static void each(long[] dims, Consumer<long[]> work) {
    long count = Arrays.stream(dims).reduce(1, (a, b) -> a * b);
    for (long i = 0; i < count; i++) {
      long[] at = new long[dims.length];
      long rest = i;
      for (int axis = dims.length - 1; axis >= 0; axis--) {
        at[axis] = rest % dims[axis];
        rest /= dims[axis];
      }
      work.accept(at);
    }
  }

  private double get(Tensor t, int offset) {
    if (t.isValue()) {
      return values.get(t.id());
    }
    return t.isVirtual() ? room(t)[offset] : numbers(t).get(offset);
  }

  private void put(Tensor t, int offset, double value) {
    if (t.isVirtual()) {
      room(t)[offset] = rounding(t.type()).applyAsDouble(value);
    } else if (t.type() == INT) {
      numbers(t).memory().putInt(4 * offset, (int) value);
    } else {
      numbers(t).put(offset, (float) value);
    }
  }

  private double[] room(Tensor t) {
    return between.computeIfAbsent(
        t.id(),
        id -> {
          double[] made = new double[t.room()];
          Arrays.fill(made, Double.NaN); // nobody may read what nobody wrote
          return made;
        });
  }

  private FakeNumbers numbers(Tensor t) {
    return FakeNumbers.at(places.get(t.id()), FakeNumbers.Type.ofDnn(t.type()), t.room());
  }

  private static DoubleUnaryOperator rounding(int type) {
    return switch (type) {
      case FLOAT -> x -> (float) x;
      case HALF -> x -> HalfPrecision.fromFloat16(HalfPrecision.toFloat16((float) x));
      case BFLOAT -> x -> HalfPrecision.fromBfloat16(HalfPrecision.toBfloat16((float) x));
      case INT -> Math::rint;
      case BOOLEAN -> x -> x != 0 ? 1 : 0;
      default -> throw new AssertionError("cudnnDataType_t " + type);
    };
  }
}
