package dev.crema.op;

import dev.crema.graph.Op;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ElementwiseOpsTest {
  private static final double SQRT_2_PI = Math.sqrt(2 * Math.PI);

  static Stream<Arguments> functions() {
    return Stream.of(
        of(new LeakyRelu(0.1), x -> x < 0 ? 0.1 * x : x),
        of(new Elu(0.7), x -> x < 0 ? 0.7 * Math.expm1(x) : x),
        of(new Selu(), x -> 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x)),
        of(new Sigmoid(), ElementwiseOpsTest::sigmoid),
        of(new Tanh(), Math::tanh),
        of(new Softplus(), x -> Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
        of(new Silu(), x -> x * sigmoid(x)),
        of(new Gelu(), x -> x * normal(x)),
        of(
            new GeluTanh(),
            x -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))),
        of(new HardSigmoid(), x -> Math.min(Math.max(x / 6 + 0.5, 0), 1)),
        of(new HardSwish(), x -> x * Math.min(Math.max(x / 6 + 0.5, 0), 1)),
        of(new Clip(-0.5, 0.9), x -> Math.min(Math.max(x, -0.5), 0.9)),
        of(new Neg(), x -> -x),
        of(new Abs(), Math::abs),
        of(new Square(), x -> x * x),
        of(new Exp(), Math::exp),
        of(new Erf(), x -> 2 * normal(x * Math.sqrt(2)) - 1),
        of(new Affine(-3, 0.5), x -> -3 * x + 0.5),
        of(new Huber(0.8), x -> Math.abs(x) <= 0.8 ? x * x / 2 : 0.8 * (Math.abs(x) - 0.4)));
  }

  static Stream<Arguments> functionsOfPositiveNumbers() {
    return Stream.of(
        of(new Sqrt(), Math::sqrt),
        of(new Rsqrt(), x -> 1 / Math.sqrt(x)),
        of(new Reciprocal(), x -> 1 / x),
        of(new Log(), Math::log));
  }

  static Stream<Arguments> functionsOfTwo() {
    return Stream.of(
        two(new Sub(), (a, b) -> a - b),
        two(new Div(), (a, b) -> a / b),
        two(new Maximum(), Math::max),
        two(new Minimum(), Math::min),
        two(new Pow(), Math::pow));
  }

  @ParameterizedTest
  @MethodSource("functions")
  void matchesTheReferenceAndFiniteDifferences(Op op, DoubleUnaryOperator f) {
    for (int columns : new int[] {1, 17, 133}) {
      Array64 x = Array64.uniform(5, -4, 4, 3, columns);
      OpCheck.of(op).batched(x).forwardOne(in -> in[0].map(f)).run();
    }
  }

  @ParameterizedTest
  @MethodSource("functionsOfPositiveNumbers")
  void matchesTheReferenceAndFiniteDifferencesAboveZero(Op op, DoubleUnaryOperator f) {
    for (int columns : new int[] {1, 17, 133}) {
      Array64 x = Array64.uniform(5, 0.5, 4, 3, columns);
      OpCheck.of(op).batched(x).forwardOne(in -> in[0].map(f)).run();
    }
  }

  @ParameterizedTest
  @MethodSource("functionsOfTwo")
  void matchesTheReferenceOfTwoWithARepeatedOne(Op op, DoubleBinaryOperator f) {
    for (int columns : new int[] {1, 10, 35}) {
      OpCheck.of(op)
          .batched(Array64.uniform(5, 0.5, 3, 4, columns))
          .input(Array64.uniform(6, 0.4, 3, columns))
          .forwardOne(in -> zip(in[0], in[1], f))
          .run();
    }
  }

  static Stream<Arguments> comparisons() {
    return Stream.of(
        two(new Equal(), (a, b) -> a == b ? 1 : 0),
        two(new NotEqual(), (a, b) -> a != b ? 1 : 0),
        two(new Less(), (a, b) -> a < b ? 1 : 0),
        two(new LessEqual(), (a, b) -> a <= b ? 1 : 0),
        two(new Greater(), (a, b) -> a > b ? 1 : 0),
        two(new GreaterEqual(), (a, b) -> a >= b ? 1 : 0));
  }

  @ParameterizedTest
  @MethodSource("comparisons")
  void comparesAsJavaDoes(Op op, DoubleBinaryOperator f) {
    Array64 a = Array64.integers(1, 3, 4, 19);
    Array64 b = Array64.integers(2, 3, 19);
    a.values()[5] = Double.NaN;
    OpCheck.of(op)
        .batched(a)
        .input(b)
        .forwardOne(in -> zip(in[0], in[1], f))
        .withoutGradient()
        .run();
  }

  @ParameterizedTest
  @MethodSource("functions")
  void nanStaysNan(Op op, DoubleUnaryOperator f) {
    Array64 x = Array64.gaussian(5, 2, 19);
    x.values()[3] = Double.NaN;
    OpCheck.of(op)
        .batched(x)
        .forwardOne(in -> in[0].map(v -> Double.isNaN(v) ? v : f.applyAsDouble(v)))
        .withoutGradient()
        .run();
  }

  @org.junit.jupiter.api.Test
  void whereTakesTheGradientToTheSideItTook() {
    OpCheck.graph(
            in ->
                in[2]
                    .then(new Greater(), in[0].graph().constant(0))
                    .then(new Where(), in[0], in[1]))
        .batched(Array64.gaussian(1, 3, 21))
        .batched(Array64.gaussian(2, 3, 21))
        .data(Array64.gaussian(3, 3, 21), dev.crema.memory.ElementType.FLOAT32, true)
        .forwardOne(
            in -> {
              Array64 y = in[0].copy();
              for (int i = 0; i < y.size(); i++) {
                y.values()[i] = in[2].values()[i] > 0 ? in[0].values()[i] : in[1].values()[i];
              }
              return y;
            })
        .run();
  }

  @org.junit.jupiter.api.Test
  void lossesOfOnePredictionMatchTheReference() {
    dev.crema.memory.ElementType f = dev.crema.memory.ElementType.FLOAT32;
    Array64 targets = Array64.uniform(8, 0, 1, 3, 21);
    targets.values()[0] = 0;
    targets.values()[1] = 1;
    OpCheck.of(new SigmoidCrossEntropy())
        .batched(Array64.uniform(1, -20, 20, 3, 21))
        .data(targets, f, true)
        .forwardOne(
            in ->
                zip(
                    in[0],
                    in[1],
                    (x, z) -> Math.max(x, 0) - x * z + Math.log1p(Math.exp(-Math.abs(x)))))
        .run();
    OpCheck.of(new BinaryCrossEntropy())
        .batched(Array64.uniform(1, 0.05, 0.95, 3, 21))
        .data(targets, f, true)
        .forwardOne(
            in -> zip(in[0], in[1], (q, z) -> -(z * Math.log(q) + (1 - z) * Math.log(1 - q))))
        .run();
    OpCheck.of(new KlDivergence())
        .batched(Array64.uniform(1, -3, -0.1, 3, 21))
        .data(targets, f, true)
        .forwardOne(in -> zip(in[0], in[1], (q, z) -> z > 0 ? z * (Math.log(z) - q) : 0))
        .run();
  }

  private static Arguments of(Op op, DoubleUnaryOperator f) {
    return Arguments.of(op, f);
  }

  private static Arguments two(Op op, DoubleBinaryOperator f) {
    return Arguments.of(op, f);
  }

  private static Array64 zip(Array64 a, Array64 b, DoubleBinaryOperator f) {
    Array64 y = a.copy();
    for (int i = 0; i < y.size(); i++) {
      y.values()[i] = f.applyAsDouble(a.values()[i], b.values()[i % b.size()]);
    }
    return y;
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** Distribution function of the normal distribution, by Marsaglia's series (2004). */
  private static double normal(double x) {
    if (Math.abs(x) > 8) {
      return x > 0 ? 1 : 0;
    }
    double sum = x;
    double term = x;
    for (int i = 3; Math.abs(term) > 1e-18; i += 2) {
      term *= x * x / i;
      sum += term;
    }
    return 0.5 + sum * Math.exp(-x * x / 2) / SQRT_2_PI;
  }
}
