package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Axes in another order; any element type.
 *
 * @param permutation for each axis of the result, the axis of the input that it is, counted from
 *     the first
 */
public record Transpose(List<Integer> permutation) implements Op {
  public Transpose {
    permutation = List.copyOf(permutation);
    boolean[] seen = new boolean[permutation.size()];
    for (int p : permutation) {
      if (p < 0 || p >= seen.length || seen[p]) {
        throw new ShapeException(
            permutation + " is not a permutation of the axes 0 to " + (seen.length - 1));
      }
      seen[p] = true;
    }
  }

  public static Transpose of(int... permutation) {
    return new Transpose(Arrays.stream(permutation).boxed().toList());
  }

  /** Swaps two axes of a tensor of that rank; a negative axis counts from the last. */
  public static Transpose swap(int rank, int a, int b) {
    List<Integer> p = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      p.add(i);
    }
    int first = Math.floorMod(a, rank);
    int second = Math.floorMod(b, rank);
    p.set(first, second);
    p.set(second, first);
    return new Transpose(p);
  }

  /** What undoes it. */
  public Transpose inverse() {
    Integer[] inverse = new Integer[permutation.size()];
    for (int i = 0; i < inverse.length; i++) {
      inverse[permutation.get(i)] = i;
    }
    return new Transpose(List.of(inverse));
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireRank(permutation.size(), "input");
    List<Dim> dims = permutation.stream().map(x::dim).toList();
    return List.of(x.withDims(dims));
  }

  @Override
  public void attributes(Attributes a) {
    permutation.forEach(a::ints);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(inverse()));
  }
}
