package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.BlasCalls;
import dev.crema.device.cuda.kernel.Product;
import dev.crema.memory.ElementType;
import java.util.Optional;

/** One form of product with its descriptions and its algorithm. Numbers are cublasLt.h's. */
final class MatmulPlan {
  static final int COMPUTE_32F = 68;
  static final int COMPUTE_32I = 72;
  static final int COMPUTE_FAST_16BF = 75;
  static final int COMPUTE_FAST_TF32 = 77;
  private static final int FLOAT = 0; // CUDA_R_32F
  private static final int HALF = 2; // CUDA_R_16F
  private static final int BYTE = 3; // CUDA_R_8I
  private static final int INT = 10; // CUDA_R_32I
  private static final int BFLOAT = 14; // CUDA_R_16BF
  private static final int FP8 = 28; // CUDA_R_8F_E4M3
  private static final int NOT_SUPPORTED = 15;
  private static final int TRANSPOSED = 1; // CUBLAS_OP_T
  private static final int DESC_TRANSA = 3;
  private static final int DESC_TRANSB = 4;
  private static final int DESC_EPILOGUE = 7;
  private static final int DESC_BIAS_POINTER = 8;
  private static final int LAYOUT_BATCH_COUNT = 5;
  private static final int LAYOUT_STRIDE = 6;
  private static final int EPILOGUE_DEFAULT = 1;
  private static final int EPILOGUE_RELU = 2;
  private static final int EPILOGUE_BIAS = 4;
  private static final int EPILOGUE_GELU = 32;

  private final BlasCalls calls;
  private final long description;
  private final long first; // layout of our b
  private final long second; // layout of our a
  private final long result;
  private final long algorithm;
  private final long workspace;

  private MatmulPlan(
      BlasCalls calls,
      long description,
      long first,
      long second,
      long result,
      long algorithm,
      long workspace) {
    this.calls = calls;
    this.description = description;
    this.first = first;
    this.second = second;
    this.result = result;
    this.algorithm = algorithm;
    this.workspace = workspace;
  }

  /**
   * With the best algorithm by the library's heuristic; empty if it has none.
   *
   * @param most bytes of workspace
   */
  static Optional<MatmulPlan> find(
      BlasCalls calls, long handle, Product p, int computeType, long most) {
    try (Undo undo = new Undo()) {
      long[] made = new long[1];
      check(
          calls,
          calls.cublasLtMatmulDescCreate(made, computeType, scale(p)),
          "cublasLtMatmulDescCreate");
      long description = undo.on(made[0], calls::cublasLtMatmulDescDestroy);
      if (p.b().transposed()) {
        setInt(calls, description, DESC_TRANSA, TRANSPOSED);
      }
      if (p.a().transposed()) {
        setInt(calls, description, DESC_TRANSB, TRANSPOSED);
      }
      setInt(calls, description, DESC_EPILOGUE, epilogue(p));
      if (p.bias() != 0) {
        setBias(calls, description, p.bias());
      }
      int factors = type(p.types().factors());
      long first = layout(calls, factors, p.b(), p.k(), p.n(), p.count(), undo);
      long second = layout(calls, factors, p.a(), p.m(), p.k(), p.count(), undo);
      int sums = type(p.types().result());
      long result = layout(calls, sums, p.c(), p.m(), p.n(), p.count(), undo);
      long[] algorithm = new long[1];
      int[] count = new int[1];
      long[] workspace = new long[1];
      int c = Products.alignment(p.c().address());
      int[] alignments = {
        Products.alignment(p.b().address()), Products.alignment(p.a().address()), c, c
      };
      int status =
          calls.cublasLtMatmulAlgoGetHeuristic(
              handle,
              description,
              first,
              second,
              result,
              result,
              most,
              alignments,
              algorithm,
              count,
              workspace);
      if (status == NOT_SUPPORTED || status == 0 && count[0] == 0) {
        return Optional.empty();
      }
      check(calls, status, "cublasLtMatmulAlgoGetHeuristic of " + describe(p));
      undo.keep();
      return Optional.of(
          new MatmulPlan(calls, description, first, second, result, algorithm[0], workspace[0]));
    }
  }

  static CudaException missing(Product p) {
    return new CudaException(
        "cublasLtMatmulAlgoGetHeuristic", 0, "cuBLASLt has no algorithm for " + describe(p));
  }

  private static String describe(Product p) {
    return "["
        + p.m()
        + ", "
        + p.k()
        + "] x ["
        + p.k()
        + ", "
        + p.n()
        + "], "
        + p.count()
        + " times, "
        + p.activation()
        + ", "
        + p.types().factors()
        + " into "
        + p.types().result();
  }

  private static int type(ElementType element) {
    return switch (element) {
      case FLOAT32 -> FLOAT;
      case FLOAT16 -> HALF;
      case BFLOAT16 -> BFLOAT;
      case UINT8 -> FP8;
      case INT8 -> BYTE;
      case INT32 -> INT;
      default -> throw new IllegalArgumentException("There are no products of " + element);
    };
  }

  /** What factors of the whole product are. */
  private static int scale(Product p) {
    return isWhole(p) ? INT : FLOAT;
  }

  private static boolean isWhole(Product p) {
    return p.types().result() == ElementType.INT32;
  }

  private static int epilogue(Product p) {
    int bias = p.bias() == 0 ? 0 : EPILOGUE_BIAS;
    return switch (p.activation()) {
      case NONE -> bias == 0 ? EPILOGUE_DEFAULT : bias;
      case RELU -> EPILOGUE_RELU | bias;
      case GELU_TANH -> EPILOGUE_GELU | bias;
    };
  }

  /** Of a row-major matrix of rows x columns, stored transposed or not, as columns. */
  private static long layout(
      BlasCalls calls, int type, Product.Matrix m, long rows, long columns, int count, Undo undo) {
    long stored = m.transposed() ? columns : rows; // stored rows are its columns
    long length = m.transposed() ? rows : columns;
    long[] made = new long[1];
    check(
        calls,
        calls.cublasLtMatrixLayoutCreate(made, type, length, stored, m.leading()),
        "cublasLtMatrixLayoutCreate");
    long layout = undo.on(made[0], calls::cublasLtMatrixLayoutDestroy);
    if (count > 1) {
      check(
          calls,
          calls.cublasLtMatrixLayoutSetInt(layout, LAYOUT_BATCH_COUNT, count),
          "cublasLtMatrixLayoutSetAttribute");
      check(
          calls,
          calls.cublasLtMatrixLayoutSetLong(layout, LAYOUT_STRIDE, m.stride()),
          "cublasLtMatrixLayoutSetAttribute");
    }
    return layout;
  }

  long workspace() {
    return workspace;
  }

  /** The description knows the bias: one call at a time. */
  synchronized void run(long handle, Product p, long scratch, long stream) {
    if (p.bias() != 0) {
      setBias(calls, description, p.bias());
    }
    BlasStatus.check(
        calls,
        calls.cublasLtMatmul(
            handle,
            description,
            isWhole(p) ? 1 : Float.floatToRawIntBits(1),
            p.b().address(),
            first,
            p.a().address(),
            second,
            isWhole(p) ? (int) p.beta() : Float.floatToRawIntBits(p.beta()),
            p.c().address(),
            result,
            p.c().address(),
            result,
            algorithm,
            scratch,
            workspace,
            stream),
        "cublasLtMatmul");
  }

  private static void setInt(BlasCalls calls, long description, int attribute, int value) {
    check(
        calls,
        calls.cublasLtMatmulDescSetInt(description, attribute, value),
        "cublasLtMatmulDescSetAttribute");
  }

  private static void setBias(BlasCalls calls, long description, long bias) {
    check(
        calls,
        calls.cublasLtMatmulDescSetLong(description, DESC_BIAS_POINTER, bias),
        "cublasLtMatmulDescSetAttribute");
  }

  private static void check(BlasCalls calls, int status, String call) {
    BlasStatus.check(calls, status, call);
  }

  void close() {
    calls.destroyAlgorithm(algorithm);
    calls.cublasLtMatrixLayoutDestroy(result);
    calls.cublasLtMatrixLayoutDestroy(second);
    calls.cublasLtMatrixLayoutDestroy(first);
    calls.cublasLtMatmulDescDestroy(description);
  }
}
