package dev.crema.device.cuda.kernel;

import dev.crema.CremaException;
import dev.crema.device.cuda.kernel.AttentionGraphs.Form;
import dev.crema.memory.ElementType;
import java.util.Map;

/**
 * Attention and its gradient: in tiles of heads of up to 128 numbers, by tensor cores of 16-bit
 * ones; else by rows. No matrix of scores is stored. Heads of 16 bits may go by cuDNN, where the
 * card has found that to be faster.
 */
final class AttentionKernels {
  private static final String ROWS = "attention";
  private static final int MOST_TILED = 128; // numbers of a head
  private static final int OF_ROWS = 48 << 10; // bytes of shared memory that are there unasked
  private static final long TILE = 16; // rows of one product

  private AttentionKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "attention", AttentionKernels::forward, "attention_grad", AttentionKernels::gradient);
  }

  /** What passes by and what blocks keep, as {@code attention.cuh} has it. */
  private enum Pass {
    FORWARD("attention"),
    QUERIES("attention_grad_queries"),
    KEYS("attention_grad_keys");

    private final String kernel;

    Pass(String kernel) {
      this.kernel = kernel;
    }
  }

  /** How a block works: the same as {@code Attention} in {@code attention.cuh}. */
  private record Block(boolean wide, long d, Pass pass) {
    long warps() {
      return wide && d == 128 && pass != Pass.FORWARD ? 2 : 4;
    }

    long rows() {
      return TILE * warps() * (!wide && pass == Pass.FORWARD ? 2 : 1);
    }

    long step() {
      if (wide) {
        return d == 128 ? 16 : 32;
      }
      return d == 128 || (d == 32 && pass == Pass.KEYS) ? 32 : 64;
    }

    int threads() {
      return (int) (32 * warps());
    }

    int sharedBytes() {
      long row = wide ? 4 * (d + 4) : 2 * (d + 8);
      long owned = (pass == Pass.FORWARD ? 1 : 2) * rows();
      long weights = wide ? warps() * TILE * (step() + 4) : 0;
      return Math.toIntExact((owned + 4 * step()) * row + 4 * (weights + 4 * step()));
    }
  }

  private record Extents(long heads, long inner, long t, long s, long d, long e) {
    static Extents of(Call c) {
      Operand q = c.in(0);
      Operand v = c.in(2);
      boolean inside = c.integer(2) != 0;
      int rows = q.rank() - (inside ? 3 : 2);
      long inner = inside ? q.dim(-2) : 1;
      long heads = q.elements(0, rows) * inner;
      return new Extents(heads, inner, q.dim(rows), v.dim(rows), q.last(), v.last());
    }

    byte[] struct(Call c) {
      return new Struct()
          .int64(heads)
          .int64(t)
          .int64(s)
          .int32(Math.toIntExact(inner))
          .int32(Math.toIntExact(d))
          .int32(Math.toIntExact(e))
          .float32s(new double[] {c.real(0)}, 1)
          .int32((int) c.integer(0))
          .int32(0)
          .toBytes();
    }

    /** Rows that blocks own. */
    long rows(Pass pass) {
      return pass == Pass.KEYS ? s : t;
    }
  }

  /**
   * in: q, k, v. out: y, the logarithms of the sums. ints: causal, bfloat16, whether heads lie
   * inside. floats: scale.
   */
  private static void forward(Call c, Launches to) {
    Extents x = Extents.of(c);
    if (x.s() == 0) {
      to.fill(c.out(0).address(), 0, c.out(0).bytes());
      to.fill(c.out(1).address(), 0xff, c.out(1).bytes());
      return;
    }
    Form form = CudnnAttention.form(c);
    if (form == null) {
      forward(c, to, x);
      return;
    }
    CudnnWay.either(
        c,
        to,
        form.name("attention", Ways.rows(form.b())),
        launches -> forward(c, launches, x),
        launches -> CudnnAttention.forward(c, form, launches));
  }

  private static void forward(Call c, Launches to, Extents x) {
    launch(
        c,
        to,
        x,
        Pass.FORWARD,
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.address(1))
            .pointer(c.address(2))
            .pointer(c.out(0).address())
            .pointer(c.out(1).address()));
  }

  /** in: q, k, v, y, the logarithms of the sums, dy. out: dq, dk, dv. */
  private static void gradient(Call c, Launches to) {
    Extents x = Extents.of(c);
    if (x.t() == 0 || x.s() == 0) {
      for (int i = 0; i < 3; i++) {
        to.fill(c.out(i).address(), 0, c.out(i).bytes());
      }
      return;
    }
    Form form = CudnnAttention.formOfGradient(c);
    if (form == null) {
      gradient(c, to, x);
      return;
    }
    CudnnWay.either(
        c,
        to,
        form.name("attention_grad", Ways.rows(form.b())),
        launches -> gradient(c, launches, x),
        launches -> CudnnAttention.backward(c, form, launches));
  }

  private static void gradient(Call c, Launches to, Extents x) {
    long rows = x.heads() * x.t();
    long delta = to.scratch(Math.max(1, 4 * rows));
    to.launch(
        ROWS,
        Stored.name("attention_delta", c.in(0).type()),
        Grid.ofWarps(c, rows),
        Grid.THREADS,
        0,
        Arguments.of()
            .pointer(c.address(3))
            .pointer(c.address(5))
            .pointer(delta)
            .int64(rows)
            .int32(x.e()));
    launch(c, to, x, Pass.QUERIES, backward(c, delta).pointer(c.out(0).address()));
    launch(
        c,
        to,
        x,
        Pass.KEYS,
        backward(c, delta).pointer(c.out(1).address()).pointer(c.out(2).address()));
  }

  private static Arguments backward(Call c, long delta) {
    return Arguments.of()
        .pointer(c.address(0))
        .pointer(c.address(1))
        .pointer(c.address(2))
        .pointer(c.address(5))
        .pointer(c.address(4))
        .pointer(delta);
  }

  private static void launch(Call c, Launches to, Extents x, Pass pass, Arguments arguments) {
    ElementType type = c.in(0).type();
    boolean wide = type == ElementType.FLOAT32;
    long most = Math.max(x.d(), x.e());
    if (x.inner() * most > Integer.MAX_VALUE) {
      throw new CremaException(
          c.instruction().where()
              + ": "
              + x.inner()
              + " heads of "
              + most
              + " numbers are more than the kernels count, 2^31 - 1 together.");
    }
    arguments.struct(x.struct(c));
    if (most <= MOST_TILED) {
      long d = most <= 32 && !wide ? 32 : most <= 64 ? 64 : MOST_TILED;
      Block block = new Block(wide, d, pass);
      long tiles = x.heads() * ((x.rows(pass) + block.rows() - 1) / block.rows());
      to.launch(
          wide ? "attention_tiles" : "attention_mma",
          Stored.name(pass.kernel + "_" + d, type),
          Grid.ofBlocks(c, tiles),
          block.threads(),
          block.sharedBytes(),
          arguments);
      return;
    }
    long shared = 8 * (x.d() + x.e());
    if (shared > OF_ROWS) {
      throw new CremaException(
          c.instruction().where()
              + ": heads of "
              + x.d()
              + " and "
              + x.e()
              + " numbers are more than a block's shared memory holds, "
              + OF_ROWS / 8
              + " together. Use more heads.");
    }
    to.launch(
        ROWS,
        Stored.name(pass.kernel, type),
        Grid.ofBlocks(c, x.heads() * x.rows(pass)),
        Grid.THREADS,
        (int) shared,
        arguments);
  }
}
