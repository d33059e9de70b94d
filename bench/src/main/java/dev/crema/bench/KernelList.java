package dev.crema.bench;

import dev.crema.graph.Node;
import dev.crema.graph.Op;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Benchmarks of kernels by name, and the sizes that most of them have. */
final class KernelList {
  /** What a kernel is given, and what it needs at least. */
  record Kernel(String description, Limit limit, GraphTask.Builder builder) {}

  static final int ROWS = 4096;
  static final int COLUMNS = 1024;
  static final double MATRIX = 4.0 * ROWS * COLUMNS; // bytes
  static final int IMAGES = 8;
  static final int SIDE = 56;
  static final int CHANNELS = 64;
  static final double PIXELS = 4.0 * IMAGES * SIDE * SIDE * CHANNELS; // bytes

  private final Map<String, Kernel> all = new LinkedHashMap<>();

  Map<String, Kernel> all() {
    return all;
  }

  void add(String name, String what, Limit limit, GraphTask.Builder builder) {
    all.put(name, new Kernel(what, limit, builder));
  }

  /** An op on a matrix of 4096 × 1024 whose result has that size too. */
  void matrix(String name, Op op) {
    add(
        name,
        op.getClass().getSimpleName() + " of [4096, 1024]",
        Limit.copy(2 * MATRIX),
        in -> List.of(matrix(in, 1).then(op)));
  }

  static Node matrix(GraphTask.Inputs in, long seed) {
    return in.uniform(seed, ROWS, COLUMNS);
  }

  static Node images(GraphTask.Inputs in, long seed) {
    return in.uniform(seed, IMAGES, SIDE, SIDE, CHANNELS);
  }
}
