package dev.crema.device.cuda.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * The axes before the last two of a product's operands, which broadcast: as few axes as possible,
 * the last of which becomes one strided product and the others a loop.
 */
final class Lead {
  /** An axis with the elements from one step to the next in each operand; 0 where it repeats. */
  private record Axis(long extent, long a, long b, long y) {
    boolean continues(Axis inner) {
      return a == inner.extent * inner.a
          && b == inner.extent * inner.b
          && y == inner.extent * inner.y;
    }
  }

  private final List<Axis> axes = new ArrayList<>(); // the last first
  private final int factorBytes;
  private final int resultBytes;

  private Lead(Operand factor, Operand result) {
    this.factorBytes = factor.type().byteSize();
    this.resultBytes = result.type().byteSize();
  }

  static Lead of(Operand a, Operand b, Operand y) {
    Lead lead = new Lead(a, y);
    long strideA = a.elements(a.rank() - 2, a.rank());
    long strideB = b.elements(b.rank() - 2, b.rank());
    long strideY = y.elements(y.rank() - 2, y.rank());
    for (int axis = -3; axis >= -y.rank(); axis--) {
      long extent = y.dim(axis);
      long extentA = -axis <= a.rank() ? a.dim(axis) : 1;
      long extentB = -axis <= b.rank() ? b.dim(axis) : 1;
      if (extent != 1) {
        lead.add(new Axis(extent, extentA == 1 ? 0 : strideA, extentB == 1 ? 0 : strideB, strideY));
      }
      strideA *= extentA;
      strideB *= extentB;
      strideY *= extent;
    }
    return lead;
  }

  private void add(Axis axis) {
    int last = axes.size() - 1;
    if (last >= 0 && axis.continues(axes.get(last))) {
      Axis inner = axes.get(last);
      axes.set(last, new Axis(axis.extent * inner.extent, inner.a, inner.b, inner.y));
    } else {
      axes.add(axis);
    }
  }

  /** Products in one strided product. */
  int inner() {
    return axes.isEmpty() ? 1 : Math.toIntExact(axes.get(0).extent);
  }

  long strideA() {
    return axes.isEmpty() ? 0 : axes.get(0).a;
  }

  long strideB() {
    return axes.isEmpty() ? 0 : axes.get(0).b;
  }

  long strideY() {
    return axes.isEmpty() ? 0 : axes.get(0).y;
  }

  /** Strided products. */
  long outer() {
    long product = 1;
    for (int i = 1; i < axes.size(); i++) {
      product *= axes.get(i).extent;
    }
    return product;
  }

  /** Bytes from the start of a to the {@code i}-th strided product's. */
  long offsetA(long i) {
    return factorBytes * offset(i, Axis::a);
  }

  long offsetB(long i) {
    return factorBytes * offset(i, Axis::b);
  }

  long offsetY(long i) {
    return resultBytes * offset(i, Axis::y);
  }

  /** In elements. */
  private long offset(long i, ToLongFunction<Axis> stride) {
    long rest = i;
    long offset = 0;
    for (Axis axis : axes.subList(Math.min(1, axes.size()), axes.size())) {
      offset += rest % axis.extent * stride.applyAsLong(axis);
      rest /= axis.extent;
    }
    return offset;
  }
}
