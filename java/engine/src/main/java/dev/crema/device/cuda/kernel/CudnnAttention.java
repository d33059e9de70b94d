package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.AttentionGraphs.Form;
import dev.crema.device.cuda.kernel.OperationGraph.Type;
import dev.crema.memory.ElementType;
import java.util.stream.LongStream;

/**
 * Attention by cuDNN's fused engines: bfloat16 and float16, heads of up to 128 numbers in eights.
 * It reads and writes the same logarithms of sums as Crema's kernels, so that either may do the
 * forward pass, either the backward one. cuDNN wants them head by head; where heads lie inside they
 * are moved, 4 bytes a query.
 */
final class CudnnAttention {
  private static final long MOST = 128; // numbers of a head
  private static final long PACK = 8; // that are read at once
  private static final int LEAST_CAPABILITY = 80;

  /**
   * Blackwell of data centres: backward engines whose sums have a fixed order must be asked for by
   * their numbers there, which is not done.
   */
  private static final int FIRST_UNORDERED = 100;

  private static final int BEHIND_UNORDERED = 120;

  private static final long[] SWAP = {0, 2, 1};

  private CudnnAttention() {}

  /** Its form; null if cuDNN has no engine for such tensors. */
  static Form form(Call c) {
    Operand q = c.in(0);
    Operand v = c.in(2);
    boolean inside = c.integer(2) != 0;
    boolean half = q.type() == ElementType.BFLOAT16 || q.type() == ElementType.FLOAT16;
    if (!half || c.processor().capability() < LEAST_CAPABILITY) {
      return null;
    }
    int last = q.rank() - 1;
    int row = inside ? last - 2 : last - 1; // the axis of queries
    int outer = inside ? row : Math.max(0, row - 1); // axes of examples
    Form form =
        new Form(
            Type.of(q.type()),
            q.elements(0, outer),
            inside ? q.dim(-2) : q.elements(outer, row),
            q.dim(row),
            v.dim(row),
            q.last(),
            v.last(),
            inside,
            c.integer(0) != 0,
            (float) c.real(0));
    boolean empty =
        LongStream.of(form.b(), form.h(), form.t(), form.s(), form.d(), form.e())
            .anyMatch(extent -> extent == 0);
    boolean fits = LongStream.of(form.d(), form.e()).allMatch(n -> n <= MOST && n % PACK == 0);
    return !empty && fits ? form : null;
  }

  /** The same of a gradient. */
  static Form formOfGradient(Call c) {
    Form form = form(c);
    int capability = c.processor().capability();
    boolean repeats = capability < FIRST_UNORDERED || capability >= BEHIND_UNORDERED;
    return form != null && repeats && form.t() * form.s() > 1 ? form : null;
  }

  /** q, k, v → y, the logarithms of the sums. */
  static boolean forward(Call c, Form f, Launches to) {
    long logs = c.out(1).address();
    boolean moves = f.inside() && f.h() > 1 && f.t() > 1;
    long headByHead = moves ? to.scratch(c.out(1).bytes()) : logs;
    if (!CudnnWay.graph(
        to,
        AttentionGraphs.forward(f),
        c.address(0),
        c.address(1),
        c.address(2),
        c.out(0).address(),
        headByHead)) {
      return false;
    }
    if (moves) {
      Operand from = logs(headByHead, f.b(), f.h(), f.t());
      MoveKernels.transpose(c, to, from, SWAP, logs);
    }
    return true;
  }

  /** q, k, v, y, the logarithms of the sums, dy → dq, dk, dv. */
  static boolean backward(Call c, Form f, Launches to) {
    boolean moves = f.inside() && f.h() > 1 && f.t() > 1;
    long logs = c.address(4);
    if (moves) {
      logs = to.scratch(c.in(4).bytes());
      MoveKernels.transpose(c, to, logs(c.address(4), f.b(), f.t(), f.h()), SWAP, logs);
    }
    long means = to.scratch(c.in(4).bytes());
    return CudnnWay.graph(
        to,
        AttentionGraphs.backward(f),
        c.address(0),
        c.address(1),
        c.address(2),
        c.address(3),
        logs,
        c.address(5),
        c.out(0).address(),
        c.out(1).address(),
        c.out(2).address(),
        means);
  }

  private static Operand logs(long at, long... shape) {
    return new Operand(at, ElementType.FLOAT32, shape);
  }
}
