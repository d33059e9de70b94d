package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.Product.Epilogue;
import dev.crema.device.cuda.kernel.Product.Matrix;
import dev.crema.device.cuda.kernel.Product.Types;
import java.util.Map;

/**
 * Dense layers and matrix products, by cuBLASLt. The bias and ReLU or GELU's approximation are
 * applied while the product is written; other activations in a launch of their own.
 */
final class LinearKernels {
  private static final int RELU = 1; // as FusedActivation
  private static final int GELU_TANH = 5;

  private LinearKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of("linear", LinearKernels::linear, "mat_mul", LinearKernels::matMul);
  }

  /** ints: activation, whether factors are rounded to bfloat16. */
  private static void linear(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    int activation = (int) c.integer(0);
    long rows = x.rows();
    long units = y.last();
    if (x.last() == 0 && y.elements() > 0) { // the sum of nothing
      to.fill(y.address(), 0, y.bytes());
      BiasActivation.launch(to, y, c.address(2), activation);
      return;
    }
    Epilogue epilogue = epilogue(activation);
    to.product(
        Product.of(rows, units, x.last(), x.address(), false, c.address(1), false, y.address())
            .then(c.address(2), epilogue == null ? Epilogue.NONE : epilogue)
            .of(new Types(x.type(), y.type(), c.integer(1) != 0)));
    if (epilogue == null) {
      BiasActivation.launch(to, y, 0, activation);
    }
  }

  /** What the product can apply; null if it can't. */
  private static Epilogue epilogue(int activation) {
    return switch (activation) {
      case 0 -> Epilogue.NONE;
      case RELU -> Epilogue.RELU;
      case GELU_TANH -> Epilogue.GELU_TANH;
      default -> null;
    };
  }

  /** ints: whether a and b are transposed, whether factors are rounded to bfloat16. */
  private static void matMul(Call c, Launches to) {
    Operand a = c.in(0);
    Operand b = c.in(1);
    Operand y = c.out(0);
    boolean transposeA = c.integer(0) != 0;
    boolean transposeB = c.integer(1) != 0;
    long m = y.dim(-2);
    long n = y.dim(-1);
    long k = a.dim(transposeA ? -2 : -1);
    if (k == 0) {
      to.fill(y.address(), 0, y.bytes());
      return;
    }
    Lead lead = Lead.of(a, b, y);
    long outer = lead.outer();
    for (long i = 0; i < outer; i++) {
      Product one =
          Product.of(
              m,
              n,
              k,
              new Matrix(
                  a.address() + lead.offsetA(i), transposeA, transposeA ? m : k, lead.strideA()),
              new Matrix(
                  b.address() + lead.offsetB(i), transposeB, transposeB ? k : n, lead.strideB()),
              new Matrix(y.address() + lead.offsetY(i), false, n, lead.strideY()));
      to.product(
          one.repeated(lead.inner(), lead.strideA(), lead.strideB(), lead.strideY())
              .of(new Types(a.type(), y.type(), c.integer(2) != 0)));
    }
  }
}
