package dev.crema.op;

import dev.crema.CremaException;
import dev.crema.graph.Dim;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/**
 * A graph drawn at random, of element-wise ops, reductions, products and changes of shape, as steps
 * that can be made in Crema or computed in float64. Beside each float64 array goes a bound of the
 * error that float32 may make up to there (Higham 2002, chapter 3), so that a comparison allows
 * what must be allowed and no more.
 */
final class RandomProgram {
  /** Rounding of one float32 operation; the functions are within a few times that. */
  private static final double ROUNDING = Math.ulp(1f);

  private static final int FUNCTION_ROUNDINGS = 8;

  /** Steps that would make greater numbers are left out. */
  private static final double GREATEST = 30;

  private static final int BATCH = 3;

  /** A float64 array and by how much a float32 computation may miss any element. */
  record Value(Array64 array, double error) {
    double greatest() {
      double most = 0;
      for (double v : array.values()) {
        most = Math.max(most, Math.abs(v));
      }
      return most;
    }
  }

  private record Step(Function<List<Node>, Node> node, Function<List<Value>, Value> value) {}

  final List<Array64> inputs;
  private final boolean smooth;
  private final RandomGenerator random;
  private final List<Step> steps = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private final List<Value> values = new ArrayList<>();

  /**
   * @param smooth whether every function has a derivative everywhere
   */
  RandomProgram(long seed, int size, boolean smooth) {
    this.random = new Random(seed);
    this.smooth = smooth;
    int m = 1 + random.nextInt(5);
    int k = 1 + random.nextInt(6);
    this.inputs =
        List.of(
            Array64.uniform(seed, -2, 2, BATCH, m, k),
            Array64.uniform(seed + 1, -2, 2, BATCH, m, k),
            Array64.uniform(seed + 2, -2, 2, k, m),
            Array64.uniform(seed + 3, -2, 2, k));
    Graph graph = new Graph();
    for (int i = 0; i < inputs.size(); i++) {
      TensorType type = TensorType.of(ElementType.FLOAT32, inputs.get(i).shape().dims());
      nodes.add(graph.input("x" + i, isBatched(i) ? type.withDim(0, Dim.BATCH) : type));
      values.add(new Value(inputs.get(i), 0));
    }
    for (int tries = 0; steps.size() < size && tries < 20 * size; tries++) {
      attempt(draw());
    }
    steps.add(total());
  }

  boolean isBatched(int input) {
    return input < 2;
  }

  /** Its last nodes, in a graph of the caller's. */
  Node[] build(Node[] in) {
    List<Node> pool = new ArrayList<>(List.of(in));
    steps.forEach(step -> pool.add(step.node.apply(pool)));
    return results(pool).toArray(new Node[0]);
  }

  /** The same in float64. */
  List<Value> compute(Array64[] in) {
    List<Value> pool = new ArrayList<>();
    for (Array64 x : in) {
      pool.add(new Value(x, 0));
    }
    steps.forEach(step -> pool.add(step.value.apply(pool)));
    return results(pool);
  }

  private static <T> List<T> results(List<T> pool) {
    return List.copyOf(pool.subList(Math.max(4, pool.size() - 3), pool.size()));
  }

  /** Keeps a step if its shapes fit and its numbers stay of a size. */
  private void attempt(Step step) {
    if (step == null) {
      return;
    }
    Node node;
    try {
      node = step.node.apply(nodes);
    } catch (CremaException e) {
      return; // shapes that don't go together
    }
    if (node.type().at(BATCH).elements() > 400) {
      return;
    }
    Value value = step.value.apply(values);
    if (value.greatest() <= GREATEST) {
      steps.add(step);
      nodes.add(node);
      values.add(value);
    }
  }

  /** The sum of all inputs, so that each of them has a gradient. */
  private Step total() {
    return new Step(
        n -> {
          Node sum = ReduceSum.all(n.get(0));
          for (int i = 1; i < inputs.size(); i++) {
            sum = sum.then(new Add(), ReduceSum.all(n.get(i)));
          }
          return sum;
        },
        v -> {
          double sum = 0;
          double terms = 0;
          for (Value x : v.subList(0, inputs.size())) {
            for (double element : x.array().values()) {
              sum += element;
              terms += Math.abs(element);
            }
          }
          double total = sum;
          int n = inputs.stream().mapToInt(Array64::size).sum();
          return new Value(Array64.zeros().map(zero -> total), n * ROUNDING * terms);
        });
  }

  private int any() {
    return random.nextInt(nodes.size());
  }

  private Step draw() {
    return switch (random.nextInt(smooth ? 9 : 11)) {
      case 0, 1 -> function();
      case 2 -> binary(new Add(), Double::sum, 1, 1);
      case 3 -> binary(new Sub(), (a, b) -> a - b, 1, 1);
      case 4 -> binary(new Mul(), (a, b) -> a * b, GREATEST, GREATEST);
      case 5 -> product();
      case 6 -> turn();
      case 7 -> cut();
      case 8 -> sum();
      case 9 -> kink();
      default -> greatest();
    };
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private Step function() {
    return switch (random.nextInt(6)) {
      case 0 -> unary(new Tanh(), Math::tanh, 1);
      case 1 -> unary(new Sigmoid(), RandomProgram::sigmoid, 0.25);
      case 2 -> unary(new Affine(-0.75, 0.5), x -> -0.75 * x + 0.5, 0.75);
      case 3 -> unary(new Softplus(), x -> Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), 1);
      case 4 -> unary(new Silu(), x -> x * sigmoid(x), 1.1);
      default -> unary(new Exp(), Math::exp, GREATEST);
    };
  }

  private Step kink() {
    return switch (random.nextInt(5)) {
      case 0 -> unary(new Relu(), x -> Math.max(x, 0), 1);
      case 1 -> unary(new Abs(), Math::abs, 1);
      case 2 -> unary(new Clip(-0.5, 1.5), x -> Math.min(Math.max(x, -0.5), 1.5), 1);
      case 3 -> binary(new Maximum(), Math::max, 1, 1);
      default -> binary(new Minimum(), Math::min, 1, 1);
    };
  }

  /**
   * @param slope greatest one of the function
   */
  private Step unary(Op op, DoubleUnaryOperator f, double slope) {
    int x = any();
    return new Step(
        n -> n.get(x).then(op),
        v -> value(v.get(x).array().map(f), slope * v.get(x).error(), FUNCTION_ROUNDINGS));
  }

  /**
   * @param slopeA by how much an error of a counts at most
   */
  private Step binary(Op op, DoubleBinaryOperator f, double slopeA, double slopeB) {
    int a = any();
    int b = any();
    return new Step(
        n -> n.get(a).then(op, n.get(b)),
        v -> {
          Value x = v.get(a);
          Value y = v.get(b);
          double error =
              Math.min(slopeA, Math.max(1, y.greatest())) * x.error()
                  + Math.min(slopeB, Math.max(1, x.greatest())) * y.error();
          return value(Arrays64.zip(x.array(), y.array(), f), error, 1);
        });
  }

  private Step product() {
    int a = any();
    int b = any();
    boolean ta = random.nextBoolean();
    boolean tb = random.nextBoolean();
    return new Step(
        n -> n.get(a).then(new MatMul(ta, tb), n.get(b)),
        v -> {
          Value x = v.get(a);
          Value y = v.get(b);
          int k = x.array().dim(ta ? -2 : -1);
          double terms = k * x.greatest() * y.greatest();
          double error = k * (x.error() * y.greatest() + y.error() * x.greatest());
          return new Value(
              Arrays64.matmul(x.array(), y.array(), ta, tb), error + k * ROUNDING * terms);
        });
  }

  private List<Integer> someAxes(int rank) {
    List<Integer> axes = new ArrayList<>();
    for (int a = 0; a < rank; a++) {
      if (random.nextBoolean()) {
        axes.add(a);
      }
    }
    return axes.isEmpty() && rank > 0 ? List.of(rank - 1) : axes;
  }

  private Step sum() {
    int x = any();
    List<Integer> axes = someAxes(nodes.get(x).type().rank());
    boolean keep = random.nextBoolean();
    boolean mean = random.nextBoolean();
    if (axes.isEmpty()) {
      return null;
    }
    return new Step(
        n -> n.get(x).then(mean ? new ReduceMean(axes, keep) : new ReduceSum(axes, keep)),
        v -> {
          Value from = v.get(x);
          Array64 sums = Arrays64.reduce(from.array(), axes, keep, 0, Double::sum);
          double n = (double) from.array().size() / sums.size();
          double share = mean ? 1 / n : 1;
          double error = share * n * (from.error() + n * ROUNDING * from.greatest());
          return value(sums.map(s -> s * share), error, 1);
        });
  }

  private Step greatest() {
    int x = any();
    List<Integer> axes = someAxes(nodes.get(x).type().rank());
    boolean keep = random.nextBoolean();
    if (axes.isEmpty()) {
      return null;
    }
    return new Step(
        n -> n.get(x).then(new ReduceMax(axes, keep)),
        v ->
            new Value(
                Arrays64.reduce(v.get(x).array(), axes, keep, Double.NEGATIVE_INFINITY, Math::max),
                v.get(x).error()));
  }

  /** Axes in another order, or two of them as one. */
  private Step turn() {
    int x = any();
    TensorType type = nodes.get(x).type();
    int rank = type.rank();
    if (rank < 2) {
      return null;
    }
    if (random.nextBoolean()) {
      List<Integer> order = new ArrayList<>();
      for (int a = 0; a < rank; a++) {
        order.add(a);
      }
      Collections.shuffle(order, new Random(random.nextLong()));
      return new Step(
          n -> n.get(x).then(new Transpose(order)),
          v -> new Value(Arrays64.transpose(v.get(x).array(), order), v.get(x).error()));
    }
    List<Dim> dims = new ArrayList<>(type.dims());
    Dim last = dims.remove(rank - 1);
    dims.set(rank - 2, dims.get(rank - 2).times(last));
    TensorType merged = type.withDims(dims);
    return new Step(
        n -> n.get(x).then(new Reshape(merged)),
        v -> new Value(v.get(x).array().reshape(merged.at(BATCH).dims()), v.get(x).error()));
  }

  /** A part of an axis, or two tensors one after the other. */
  private Step cut() {
    int x = any();
    int y = any();
    TensorType type = nodes.get(x).type();
    if (type.rank() == 0) {
      return null;
    }
    int axis = random.nextInt(type.rank());
    if (random.nextBoolean()) {
      return new Step(
          n -> n.get(x).then(new Concat(axis), n.get(y)),
          v ->
              new Value(
                  Arrays64.concat(v.get(x).array(), v.get(y).array(), axis),
                  Math.max(v.get(x).error(), v.get(y).error())));
    }
    if (!type.dim(axis).isConstant() || type.extent(axis) < 2) {
      return null;
    }
    int extent = (int) type.extent(axis);
    int begin = random.nextInt(extent);
    int end = begin + 1 + random.nextInt(extent - begin);
    return new Step(
        n -> n.get(x).then(Slice.axis(type.rank(), axis, begin, end)),
        v -> new Value(Arrays64.slice(v.get(x).array(), axis, begin, end), v.get(x).error()));
  }

  private static Value value(Array64 array, double error, int roundings) {
    Value exact = new Value(array, 0);
    return new Value(array, error + roundings * ROUNDING * Math.max(1e-3, exact.greatest()));
  }
}
