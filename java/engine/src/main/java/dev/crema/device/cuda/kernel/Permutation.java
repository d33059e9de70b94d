package dev.crema.device.cuda.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Axes of a transposed tensor, outermost first, without those of extent 1 and with those merged
 * that stay side by side.
 *
 * @param in strides in the tensor that is read, in elements
 * @param out strides in the one that is written
 */
record Permutation(long[] dims, long[] in, long[] out) {
  static Permutation of(Operand x, long[] order) {
    long[] strides = new long[x.rank()];
    long n = 1;
    for (int a = x.rank() - 1; a >= 0; a--) {
      strides[a] = n;
      n *= x.dim(a);
    }
    List<Long> dims = new ArrayList<>();
    List<Long> in = new ArrayList<>();
    for (long axis : order) {
      long extent = x.dim((int) axis);
      long stride = strides[(int) axis];
      int last = dims.size() - 1;
      if (extent == 1) {
        continue;
      }
      if (last >= 0 && in.get(last) == stride * extent) {
        dims.set(last, dims.get(last) * extent);
        in.set(last, stride);
      } else {
        dims.add(extent);
        in.add(stride);
      }
    }
    long[] out = new long[dims.size()];
    n = 1;
    for (int a = out.length - 1; a >= 0; a--) {
      out[a] = n;
      n *= dims.get(a);
    }
    return new Permutation(array(dims), array(in), out);
  }

  int rank() {
    return dims.length;
  }

  /** Values of all axes but two. */
  static long[] without(long[] values, int first, int second) {
    return IntStream.range(0, values.length)
        .filter(a -> a != first && a != second)
        .mapToLong(a -> values[a])
        .toArray();
  }

  private static long[] array(List<Long> values) {
    return values.stream().mapToLong(Long::longValue).toArray();
  }
}
