package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;

/**
 * Matrix products, row-major: c [m, n] = activation(a · b + beta · c + bias), {@code count} times.
 * Sums are float32; of int8, int32.
 *
 * @param a [m, k], or [k, m] if it is transposed
 * @param b [k, n], or [n, k] if it is transposed
 * @param beta 0: what stands in c is not read; 1: it is added to
 * @param bias address of [n] numbers of c's type, added to each row; 0 for none
 * @param types of the elements
 */
public record Product(
    long m,
    long n,
    long k,
    Matrix a,
    Matrix b,
    Matrix c,
    int count,
    float beta,
    long bias,
    Epilogue activation,
    Types types) {
  /**
   * What the elements are.
   *
   * @param factors float32, bfloat16 or float16: those of a and b; int8: whole numbers; uint8:
   *     numbers of E4M3, as {@link dev.crema.op.QuantizeFp8} stores them
   * @param result those of c and the bias: as the factors, or float32; int32 of int8
   * @param rounded whether float32 factors are rounded to bfloat16
   */
  public record Types(ElementType factors, ElementType result, boolean rounded) {
    static final Types FLOATS = new Types(ElementType.FLOAT32, ElementType.FLOAT32, false);
    static final Types BYTES = new Types(ElementType.INT8, ElementType.INT32, false);
    static final Types FP8 = new Types(ElementType.UINT8, ElementType.FLOAT32, false);
  }

  /**
   * Where a matrix lies.
   *
   * @param transposed whether it is stored so
   * @param leading elements from one stored row to the next
   * @param stride elements from one matrix to the next of {@code count}; 0 if all are the same
   */
  public record Matrix(long address, boolean transposed, long leading, long stride) {
    /** The same with rows that are farther apart. */
    public Matrix leading(long elements) {
      return new Matrix(address, transposed, elements, stride);
    }

    Matrix stride(long elements) {
      return new Matrix(address, transposed, leading, elements);
    }
  }

  /** What a product applies while it writes its result. */
  public enum Epilogue {
    NONE,
    RELU,
    /** GELU by its approximation with tanh. */
    GELU_TANH
  }

  /** One product of dense matrices. */
  public static Product of(
      long m, long n, long k, long a, boolean transposeA, long b, boolean transposeB, long c) {
    return of(
        m,
        n,
        k,
        new Matrix(a, transposeA, transposeA ? m : k, 0),
        new Matrix(b, transposeB, transposeB ? k : n, 0),
        new Matrix(c, false, n, 0));
  }

  /** One product. */
  public static Product of(long m, long n, long k, Matrix a, Matrix b, Matrix c) {
    return new Product(m, n, k, a, b, c, 1, 0, 0, Epilogue.NONE, Types.FLOATS);
  }

  /** The same, added to what stands in c. */
  public Product added() {
    return new Product(m, n, k, a, b, c, count, 1, bias, activation, types);
  }

  /** The same with a bias (0 for none) and an activation. */
  public Product then(long newBias, Epilogue newActivation) {
    return new Product(m, n, k, a, b, c, count, beta, newBias, newActivation, types);
  }

  /** The same of other elements. */
  public Product of(Types elements) {
    return new Product(m, n, k, a, b, c, count, beta, bias, activation, elements);
  }

  /** {@code times} of them, each so many elements behind the one before. */
  public Product repeated(int times, long strideA, long strideB, long strideC) {
    return new Product(
        m,
        n,
        k,
        a.stride(strideA),
        b.stride(strideB),
        c.stride(strideC),
        times,
        beta,
        bias,
        activation,
        types);
  }
}
