package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.Product.Epilogue;
import dev.crema.device.cuda.kernel.Product.Matrix;
import dev.crema.device.cuda.kernel.Product.Types;
import dev.crema.memory.ElementType;
import java.util.Map;

/**
 * LSTM and GRU: products of all steps at once where no step waits for another, else one a step, and
 * between them a launch for what is not a product. Gates and cells lie by step, [t, n, ...].
 * Factors of products are of x's type: the sequence, the kernels, h, and what flows into gates.
 */
final class RecurrentKernels {
  private RecurrentKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "lstm", RecurrentWays.forward(RecurrentCell.LSTM, RecurrentKernels::lstm),
        "lstm_grad", RecurrentWays.gradient(RecurrentCell.LSTM, RecurrentKernels::lstmGradient),
        "gru", RecurrentWays.forward(RecurrentCell.GRU, RecurrentKernels::gru),
        "gru_grad", RecurrentWays.gradient(RecurrentCell.GRU, RecurrentKernels::gruGradient));
  }

  /** Extents; addresses are in bytes. */
  private record Steps(Call c, Launches to, long n, long t, long features, long u, long gates) {
    static Steps of(Call c, Launches to) {
      Operand x = c.in(0);
      Operand recurrent = c.in(2);
      return new Steps(c, to, x.dim(0), x.dim(1), x.dim(2), recurrent.dim(0), recurrent.dim(1));
    }

    ElementType type() {
      return c.in(0).type();
    }

    /** Bytes of a factor. */
    long size() {
      return type().byteSize();
    }

    /** A product of factors into float32. */
    Product wide(Product product) {
      return product.of(new Types(type(), ElementType.FLOAT32, false));
    }

    boolean isEmpty() {
      return n == 0 || t == 0;
    }

    long stateBytes() {
      return 4 * n * u;
    }

    Operand state(long address, ElementType element) {
      return new Operand(address, element, new long[] {n, u});
    }

    /** Of step s in [t, n, width]. */
    long at(long base, long s, long width) {
      return base + 4 * s * n * width;
    }

    /** A state of that type, from an input that may be absent or of another. */
    void copyOrZero(Operand into, Operand from) {
      if (from == null) {
        to.fill(into.address(), 0, into.bytes());
      } else if (from.type() == into.type()) {
        to.copy(into.address(), from.address(), into.bytes());
      } else {
        ElementwiseKernels.convert(c, to, from, into);
      }
    }

    /** gates of all steps = x w + bias. */
    void inputs(long into) {
      to.product(
          wide(
              Product.of(
                      n,
                      gates,
                      features,
                      new Matrix(c.address(0), false, t * features, 0),
                      new Matrix(c.address(1), false, gates, 0),
                      new Matrix(into, false, gates, 0))
                  .repeated((int) t, features, 0, n * gates)
                  .then(c.address(3), Epilogue.NONE)));
    }

    /** dx of all steps = d wᵀ. */
    void inputGradients(long d, long dx) {
      to.product(
          Product.of(
                  n,
                  features,
                  gates,
                  new Matrix(d, false, gates, 0),
                  new Matrix(c.address(1), true, gates, 0),
                  new Matrix(dx, false, t * features, 0))
              .repeated((int) t, n * gates, 0, features)
              .of(new Types(type(), type(), false)));
    }

    /** The gradient of weights [width, gates]: rowsᵀ d, over all steps. */
    void weightGradient(long rows, long width, long d, long into) {
      to.product(wide(Product.of(width, gates, t * n, rows, true, d, false, into)));
    }

    void sums(long d, long into) {
      ColumnSums.launch(c, to, new Operand(d, type(), new long[] {t * n, gates}), into);
    }

    /** [t, n, width] of x [n, t, width]. */
    long bySteps(long x, long steps, long width, long into) {
      Units.strided(
          c,
          to,
          "transpose",
          "permute",
          x,
          into,
          new long[] {steps, n, width},
          new long[] {width, t * width, 1},
          (int) size());
      return into;
    }

    /** The state before every step, [t, n, u], of states y [n, t, u]. */
    long before(long y, Operand first) {
      Operand before = state(to.scratch(t * n * u * size()), type());
      copyOrZero(before, first);
      if (t > 1) {
        bySteps(y, t - 1, u, before.address() + before.bytes());
      }
      return before.address();
    }

    /** Nothing flows through no steps: gradients of weights are 0. */
    void zeroGradients(int states) {
      for (int i = 0; i < c.outs() - states; i++) {
        to.fill(c.out(i).address(), 0, c.out(i).bytes());
      }
    }

    void cell(String family, String kernel, Arguments arguments) {
      to.launch(
          family,
          Stored.name(kernel, type()),
          Grid.ofElements(c, n * u),
          Grid.THREADS,
          0,
          arguments.int64(n).int64(u).int64(t * u));
    }
  }

  /** in: x, w, r, bias?, h0?, c0?. out: y, last h, last c, cells, gates. */
  private static void lstm(Call c, Launches to) {
    Steps s = Steps.of(c, to);
    long h = c.out(1).address();
    long cells = c.out(3).address();
    long gates = c.out(4).address();
    s.copyOrZero(c.out(1), c.in(4));
    if (!s.isEmpty()) {
      s.inputs(gates);
    }
    for (long i = 0; i < s.t() && s.n() > 0; i++) {
      long own = s.at(gates, i, s.gates());
      if (i > 0 || c.has(4)) {
        to.product(
            s.wide(
                Product.of(s.n(), s.gates(), s.u(), h, false, c.address(2), false, own).added()));
      }
      s.cell(
          "lstm",
          "lstm_cell",
          Arguments.of()
              .pointer(own)
              .pointer(i > 0 ? s.at(cells, i - 1, s.u()) : c.address(5))
              .pointer(s.at(cells, i, s.u()))
              .pointer(h)
              .pointer(c.out(0).address() + s.size() * i * s.u()));
    }
    Operand last = s.state(s.at(cells, s.t() - 1, s.u()), ElementType.FLOAT32);
    s.copyOrZero(c.out(2), s.t() > 0 ? last : c.in(5));
  }

  /**
   * in: x, w, r, h0?, c0?, y, cells, gates, dy?, d last h?, d last c?, bias?. out: dx, dw, dr,
   * dbias, dh0, dc0.
   */
  private static void lstmGradient(Call c, Launches to) {
    Steps s = Steps.of(c, to);
    long cells = c.address(6);
    long gates = c.address(7);
    long dh = c.out(4).address();
    long dc = c.out(5).address();
    s.copyOrZero(c.out(4), c.in(9));
    s.copyOrZero(c.out(5), c.in(10));
    if (s.isEmpty()) {
      s.zeroGradients(2);
      return;
    }
    long d = to.scratch(s.size() * s.t() * s.n() * s.gates());
    for (long i = s.t() - 1; i >= 0; i--) {
      long own = d + s.size() * i * s.n() * s.gates();
      s.cell(
          "lstm",
          "lstm_cell_grad",
          Arguments.of()
              .pointer(s.at(gates, i, s.gates()))
              .pointer(i > 0 ? s.at(cells, i - 1, s.u()) : c.address(4))
              .pointer(s.at(cells, i, s.u()))
              .pointer(c.has(8) ? c.address(8) + s.size() * i * s.u() : 0)
              .pointer(dh)
              .pointer(dc)
              .pointer(own));
      to.product(s.wide(Product.of(s.n(), s.u(), s.gates(), own, false, c.address(2), true, dh)));
    }
    long x = to.scratch(s.size() * s.t() * s.n() * s.features());
    s.inputGradients(d, c.out(0).address());
    s.weightGradient(
        s.bySteps(c.address(0), s.t(), s.features(), x), s.features(), d, c.out(1).address());
    s.weightGradient(s.before(c.address(5), c.in(3)), s.u(), d, c.out(2).address());
    s.sums(d, c.out(3).address());
  }

  /** in: x, w, u, bias?, recurrent bias?, h0?. out: y, last h, gates, q. */
  private static void gru(Call c, Launches to) {
    Steps s = Steps.of(c, to);
    long h = c.out(1).address();
    long gates = c.out(2).address();
    long q = c.out(3).address();
    s.copyOrZero(c.out(1), c.in(5));
    if (s.isEmpty()) {
      return;
    }
    long state = h;
    if (s.type() != ElementType.FLOAT32) { // what a step adds may be less than h's last place
      state = to.scratch(s.stateBytes());
      s.copyOrZero(s.state(state, ElementType.FLOAT32), c.in(5));
    }
    s.inputs(gates);
    long recurrent = to.scratch(4 * s.n() * s.gates());
    for (long i = 0; i < s.t(); i++) {
      to.product(
          s.wide(
              Product.of(s.n(), s.gates(), s.u(), h, false, c.address(2), false, recurrent)
                  .then(c.address(4), Epilogue.NONE)));
      s.cell(
          "gru",
          "gru_cell",
          Arguments.of()
              .pointer(s.at(gates, i, s.gates()))
              .pointer(recurrent)
              .pointer(s.at(q, i, s.u()))
              .pointer(state)
              .pointer(h)
              .pointer(c.out(0).address() + s.size() * i * s.u()));
    }
  }

  /** in: x, w, u, h0?, y, gates, q, dy?, d last h?, biases?. out: dx, dw, du, db, dc, dh0. */
  private static void gruGradient(Call c, Launches to) {
    Steps s = Steps.of(c, to);
    long dh = c.out(5).address();
    s.copyOrZero(c.out(5), c.in(8));
    if (s.isEmpty()) {
      s.zeroGradients(1);
      return;
    }
    long step = s.size() * s.n() * s.gates();
    long d = to.scratch(s.t() * step);
    long e = to.scratch(s.t() * step);
    long before = s.before(c.address(4), c.in(3));
    for (long i = s.t() - 1; i >= 0; i--) {
      long own = e + i * step;
      s.cell(
          "gru",
          "gru_cell_grad",
          Arguments.of()
              .pointer(s.at(c.address(5), i, s.gates()))
              .pointer(s.at(c.address(6), i, s.u()))
              .pointer(before + s.size() * i * s.n() * s.u())
              .pointer(c.has(7) ? c.address(7) + s.size() * i * s.u() : 0)
              .pointer(dh)
              .pointer(d + i * step)
              .pointer(own));
      to.product(
          s.wide(Product.of(s.n(), s.u(), s.gates(), own, false, c.address(2), true, dh).added()));
    }
    long x = to.scratch(s.size() * s.t() * s.n() * s.features());
    s.inputGradients(d, c.out(0).address());
    s.weightGradient(
        s.bySteps(c.address(0), s.t(), s.features(), x), s.features(), d, c.out(1).address());
    s.weightGradient(before, s.u(), e, c.out(2).address());
    s.sums(d, c.out(3).address());
    s.sums(e, c.out(4).address());
  }
}
