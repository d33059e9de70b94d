package dev.crema.device.cuda.calls;

/**
 * What Crema uses of cuBLASLt, by the names of the C functions; as {@link DriverCalls}. An
 * algorithm is a handle, too: of the first one that the heuristic gives.
 */
public interface BlasCalls {
  int cublasLtCreate(long[] handle);

  int cublasLtDestroy(long handle);

  int cublasLtMatmulDescCreate(long[] description, int computeType, int scaleType);

  int cublasLtMatmulDescDestroy(long description);

  /** Sets an attribute of 4 bytes. */
  int cublasLtMatmulDescSetInt(long description, int attribute, int value);

  /** Sets an attribute of 8 bytes. */
  int cublasLtMatmulDescSetLong(long description, int attribute, long value);

  int cublasLtMatrixLayoutCreate(long[] layout, int type, long rows, long columns, long leading);

  int cublasLtMatrixLayoutDestroy(long layout);

  int cublasLtMatrixLayoutSetInt(long layout, int attribute, int value);

  int cublasLtMatrixLayoutSetLong(long layout, int attribute, long value);

  /**
   * The best algorithm by the library's heuristic for operands aligned as given.
   *
   * @param alignments of a, b, c and d in bytes
   * @param algorithm gets a handle, for {@link #destroyAlgorithm}
   * @param count gets the number of algorithms found: 0 or 1
   * @param workspace gets the bytes that it needs, no more than {@code most}
   */
  int cublasLtMatmulAlgoGetHeuristic(
      long handle,
      long description,
      long a,
      long b,
      long c,
      long d,
      long most,
      int[] alignments,
      long[] algorithm,
      int[] count,
      long[] workspace);

  void destroyAlgorithm(long algorithm);

  /**
   * A product.
   *
   * @param alpha the bits of a number of the description's scale type: a float or an int
   * @param beta likewise
   */
  int cublasLtMatmul(
      long handle,
      long description,
      int alpha,
      long a,
      long layoutA,
      long b,
      long layoutB,
      int beta,
      long c,
      long layoutC,
      long d,
      long layoutD,
      long algorithm,
      long workspace,
      long workspaceBytes,
      long stream);

  long cublasLtGetVersion();

  /** The name of a status: {@code CUBLAS_STATUS_NOT_SUPPORTED}. */
  String statusName(int status);
}
