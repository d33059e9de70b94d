package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.BlasCalls;
import dev.crema.device.cuda.kernel.Launches;
import dev.crema.device.cuda.kernel.Product;
import dev.crema.memory.ElementType;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Matrix products by cuBLASLt, which thinks in columns: row-major c = a · b is its cᵀ = bᵀ · aᵀ, so
 * our b is its first operand, and a bias for each column of ours is one for each row of its. The
 * algorithm for each form of product is asked for once. Thread-safe.
 */
final class Products {
  /** What NVIDIA recommends for Hopper, and enough for others. */
  private static final long MOST_WORKSPACE = 32L << 20;

  private static final int MOST_KEPT = 1024;

  /** All that an algorithm depends on. */
  private record Form(
      long m,
      long n,
      long k,
      boolean transposeA,
      boolean transposeB,
      long lda,
      long ldb,
      long ldc,
      long strideA,
      long strideB,
      long strideC,
      int count,
      boolean adds,
      boolean biased,
      Product.Epilogue activation,
      Product.Types types,
      boolean tf32,
      int alignA,
      int alignB,
      int alignC) {
    static Form of(Product p, boolean tf32) {
      return new Form(
          p.m(),
          p.n(),
          p.k(),
          p.a().transposed(),
          p.b().transposed(),
          p.a().leading(),
          p.b().leading(),
          p.c().leading(),
          p.a().stride(),
          p.b().stride(),
          p.c().stride(),
          p.count(),
          p.beta() != 0,
          p.bias() != 0,
          p.activation(),
          p.types(),
          tf32,
          alignment(p.a().address()),
          alignment(p.b().address()),
          alignment(p.c().address()));
    }
  }

  private final BlasCalls calls;
  private final long handle;
  private final Map<Form, Optional<MatmulPlan>> plans = new LinkedHashMap<>(16, 0.75f, true);

  /** The context is current. */
  Products(BlasCalls calls) {
    this.calls = calls;
    long[] made = new long[1];
    BlasStatus.check(calls, calls.cublasLtCreate(made), "cublasLtCreate");
    this.handle = made[0];
  }

  /**
   * Finds the algorithm and asks for its workspace.
   *
   * @param tf32 whether float32 factors may be rounded to TF32
   */
  void prepare(Product p, boolean tf32, Launches scratch) {
    if (!isEmpty(p) && !prepareIfThere(p, tf32, scratch)) {
      throw MatmulPlan.missing(p);
    }
  }

  /** As {@link #prepare} of a product that is not empty; false if there is no algorithm. */
  boolean prepareIfThere(Product p, boolean tf32, Launches scratch) {
    Optional<MatmulPlan> plan = plan(p, tf32);
    plan.map(MatmulPlan::workspace).filter(bytes -> bytes > 0).ifPresent(scratch::scratch);
    return plan.isPresent();
  }

  void run(Product p, boolean tf32, Launches to, long stream) {
    if (p.m() == 0 || p.n() == 0 || p.count() == 0) {
      return;
    }
    if (p.k() == 0) {
      throw new IllegalArgumentException("A product over no elements has no kernel");
    }
    if (!runIfThere(p, tf32, to, stream)) {
      throw MatmulPlan.missing(p);
    }
  }

  /** As {@link #run} of a product that is not empty; false if there is no algorithm. */
  synchronized boolean runIfThere(Product p, boolean tf32, Launches to, long stream) {
    Optional<MatmulPlan> plan = plan(p, tf32);
    plan.ifPresent(
        there -> {
          long workspace = there.workspace() == 0 ? 0 : to.scratch(there.workspace());
          there.run(handle, p, workspace, stream);
        });
    return plan.isPresent();
  }

  private static boolean isEmpty(Product p) {
    return p.m() == 0 || p.n() == 0 || p.k() == 0 || p.count() == 0;
  }

  private synchronized Optional<MatmulPlan> plan(Product p, boolean tf32) {
    Form form = Form.of(p, tf32);
    Optional<MatmulPlan> known = plans.get(form);
    if (known == null) {
      known = MatmulPlan.find(calls, handle, p, computeType(p, tf32), MOST_WORKSPACE);
      plans.put(form, known);
      if (plans.size() > MOST_KEPT) {
        Form oldest = plans.keySet().iterator().next();
        plans.remove(oldest).ifPresent(MatmulPlan::close);
      }
    }
    return known;
  }

  private static int computeType(Product p, boolean tf32) {
    if (p.types().factors() == ElementType.INT8) {
      return MatmulPlan.COMPUTE_32I;
    }
    if (p.types().factors() != ElementType.FLOAT32) {
      return MatmulPlan.COMPUTE_32F;
    }
    if (p.types().rounded()) {
      return MatmulPlan.COMPUTE_FAST_16BF;
    }
    return tf32 ? MatmulPlan.COMPUTE_FAST_TF32 : MatmulPlan.COMPUTE_32F;
  }

  /** The biggest power of two, up to 256, that divides an address. */
  static int alignment(long address) {
    return (int) Math.min(256, address == 0 ? 256 : Long.lowestOneBit(address));
  }

  synchronized void close() {
    plans.values().forEach(plan -> plan.ifPresent(MatmulPlan::close));
    plans.clear();
    calls.cublasLtDestroy(handle);
  }
}
