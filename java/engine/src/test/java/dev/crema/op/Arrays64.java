package dev.crema.op;

import dev.crema.memory.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.DoubleBinaryOperator;

/** Plain loops over float64 arrays of any rank: what graphs of ops are compared with. */
final class Arrays64 {
  private Arrays64() {}

  /** An element of the result for each index, the last axis fastest. */
  @FunctionalInterface
  interface Element {
    double at(int[] index);
  }

  static Array64 each(Shape shape, Element element) {
    Array64 y = Array64.zeros(shape.dims());
    int[] index = new int[shape.rank()];
    for (int i = 0; i < y.size(); i++) {
      y.values()[i] = element.at(index);
      for (int a = index.length - 1; a >= 0 && ++index[a] == shape.dim(a); a--) {
        index[a] = 0;
      }
    }
    return y;
  }

  /** The element at an index, whose axes beyond the array's are dropped and those of 1 repeat. */
  static double repeated(Array64 x, int... index) {
    int rank = x.shape().rank();
    int at = 0;
    for (int a = 0; a < rank; a++) {
      int i = index[index.length - rank + a];
      at = at * x.dim(a) + (x.dim(a) == 1 ? 0 : i);
    }
    return x.values()[at];
  }

  static Shape broadcast(Shape a, Shape b) {
    int rank = Math.max(a.rank(), b.rank());
    long[] dims = new long[rank];
    for (int i = 0; i < rank; i++) {
      long x = i < rank - a.rank() ? 1 : a.dim(i - rank + a.rank());
      long y = i < rank - b.rank() ? 1 : b.dim(i - rank + b.rank());
      dims[i] = x == 1 ? y : x;
    }
    return Shape.of(dims);
  }

  static Array64 zip(Array64 a, Array64 b, DoubleBinaryOperator f) {
    return each(
        broadcast(a.shape(), b.shape()), i -> f.applyAsDouble(repeated(a, i), repeated(b, i)));
  }

  /** Joins the elements along some axes, which stay with extent 1 or go. */
  static Array64 reduce(
      Array64 x, List<Integer> axes, boolean keep, double start, DoubleBinaryOperator join) {
    List<Long> kept = new ArrayList<>();
    List<Long> left = new ArrayList<>();
    for (int a = 0; a < x.shape().rank(); a++) {
      boolean goes = axes.contains(a);
      kept.add(goes ? 1L : x.shape().dim(a));
      if (!goes || keep) {
        left.add(kept.get(a));
      }
    }
    Array64 y = Array64.zeros(dims(kept)).map(zero -> start);
    int[] place = {0};
    each(
        x.shape(),
        index -> {
          int at = 0;
          for (int a = 0; a < index.length; a++) {
            at = at * y.dim(a) + (axes.contains(a) ? 0 : index[a]);
          }
          y.values()[at] = join.applyAsDouble(y.values()[at], x.values()[place[0]++]);
          return 0;
        });
    return y.reshape(dims(left));
  }

  static Array64 transpose(Array64 x, List<Integer> permutation) {
    long[] dims = permutation.stream().mapToLong(p -> x.shape().dim(p)).toArray();
    return each(
        Shape.of(dims),
        index -> {
          int[] from = new int[index.length];
          for (int a = 0; a < index.length; a++) {
            from[permutation.get(a)] = index[a];
          }
          return repeated(x, from);
        });
  }

  /** Products of the last two axes; those before broadcast. */
  static Array64 matmul(Array64 left, Array64 right, boolean ta, boolean tb) {
    Array64 a = ta ? swapLast(left) : left;
    Array64 b = tb ? swapLast(right) : right;
    int k = a.dim(-1);
    Shape lead = broadcast(lead(a), lead(b));
    long[] dims = Arrays.copyOf(lead.dims(), lead.rank() + 2);
    dims[lead.rank()] = a.dim(-2);
    dims[lead.rank() + 1] = b.dim(-1);
    return each(
        Shape.of(dims),
        index -> {
          int[] ia = index.clone();
          int[] ib = index.clone();
          double sum = 0;
          for (int p = 0; p < k; p++) {
            ia[ia.length - 1] = p;
            ib[ib.length - 2] = p;
            sum += repeated(a, ia) * repeated(b, ib);
          }
          return sum;
        });
  }

  private static Shape lead(Array64 x) {
    return Shape.of(Arrays.copyOf(x.shape().dims(), x.shape().rank() - 2));
  }

  private static Array64 swapLast(Array64 x) {
    List<Integer> p = new ArrayList<>();
    for (int a = 0; a < x.shape().rank(); a++) {
      p.add(a);
    }
    Collections.swap(p, p.size() - 1, p.size() - 2);
    return transpose(x, p);
  }

  /** Elements [begin, end) of an axis. */
  static Array64 slice(Array64 x, int axis, int begin, int end) {
    long[] dims = x.shape().dims().clone();
    dims[axis] = end - begin;
    return each(
        Shape.of(dims),
        index -> {
          int[] from = index.clone();
          from[axis] += begin;
          return repeated(x, from);
        });
  }

  static Array64 concat(Array64 a, Array64 b, int axis) {
    long[] dims = a.shape().dims().clone();
    dims[axis] += b.dim(axis);
    return each(
        Shape.of(dims),
        index -> {
          int[] from = index.clone();
          boolean second = from[axis] >= a.dim(axis);
          from[axis] -= second ? a.dim(axis) : 0;
          return repeated(second ? b : a, from);
        });
  }

  private static long[] dims(List<Long> list) {
    return list.stream().mapToLong(Long::longValue).toArray();
  }
}
