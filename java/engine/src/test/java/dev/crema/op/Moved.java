package dev.crema.op;

import java.util.function.Function;

/** References of ops that move elements: each element of the result names the one it is. */
final class Moved {
  private Moved() {}

  /**
   * Of extents {@code dims}; {@code from} maps an index of the result to one of {@code x}, or null.
   */
  static Array64 of(Array64 x, double otherwise, Function<int[], int[]> from, long... dims) {
    Array64 y = Array64.zeros(dims);
    int[] index = new int[dims.length];
    for (int i = 0; i < y.size(); i++) {
      int[] source = from.apply(index.clone());
      y.values()[i] = source == null ? otherwise : x.values()[offset(x, source)];
      for (int a = dims.length - 1; a >= 0 && ++index[a] == dims[a]; a--) {
        index[a] = 0;
      }
    }
    return y;
  }

  static Array64 of(Array64 x, Function<int[], int[]> from, long... dims) {
    return of(x, Double.NaN, from, dims);
  }

  static int offset(Array64 x, int... index) {
    int at = 0;
    for (int a = 0; a < index.length; a++) {
      at = at * x.dim(a) + index[a];
    }
    return at;
  }
}
