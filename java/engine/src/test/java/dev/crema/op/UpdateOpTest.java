package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UpdateOpTest {
  private static final double RATE = 0.05;
  private static final double SCALE = 0.5;
  private static final double B1 = 0.9;
  private static final double B2 = 0.99;
  private static final double DECAY = 0.02;
  private static final double EPSILON = 1e-8;

  /** One update of one parameter in float64: {w, moment 0, moment 1} for gradient g at step t. */
  interface Rule {
    void apply(double[] s, double g, int t);
  }

  record Case(UpdateOp op, Rule rule) {}

  static Stream<Case> rules() {
    return Stream.of(
        new Case(new Sgd(DECAY), (s, g, t) -> s[0] -= RATE * (g + DECAY * s[0])),
        new Case(
            new Momentum(DECAY, 0.8, false),
            (s, g, t) -> {
              s[1] = 0.8 * s[1] + g + DECAY * s[0];
              s[0] -= RATE * s[1];
            }),
        new Case(
            new Momentum(DECAY, 0.8, true),
            (s, g, t) -> {
              double d = g + DECAY * s[0];
              s[1] = 0.8 * s[1] + d;
              s[0] -= RATE * (d + 0.8 * s[1]);
            }),
        new Case(
            new Adam(DECAY, B1, B2, EPSILON, false), (s, g, t) -> adam(s, g + DECAY * s[0], t, 1)),
        new Case(
            new Adam(DECAY, B1, B2, EPSILON, true), (s, g, t) -> adam(s, g, t, 1 - RATE * DECAY)),
        new Case(
            new Rmsprop(DECAY, B2, EPSILON),
            (s, g, t) -> {
              double d = g + DECAY * s[0];
              s[1] = B2 * s[1] + (1 - B2) * d * d;
              s[0] -= RATE * d / (Math.sqrt(s[1]) + EPSILON);
            }),
        new Case(
            new Adagrad(DECAY, EPSILON),
            (s, g, t) -> {
              double d = g + DECAY * s[0];
              s[1] += d * d;
              s[0] -= RATE * d / (Math.sqrt(s[1]) + EPSILON);
            }),
        new Case(
            new Lion(DECAY, B1, B2),
            (s, g, t) -> {
              double u = B1 * s[1] + (1 - B1) * g;
              s[0] = s[0] * (1 - RATE * DECAY) - RATE * Math.signum(u);
              s[1] = B2 * s[1] + (1 - B2) * g;
            }));
  }

  private static void adam(double[] s, double d, int t, double shrink) {
    s[1] = B1 * s[1] + (1 - B1) * d;
    s[2] = B2 * s[2] + (1 - B2) * d * d;
    double m = s[1] / (1 - Math.pow(B1, t));
    double v = s[2] / (1 - Math.pow(B2, t));
    s[0] = shrink * s[0] - RATE * m / (Math.sqrt(v) + EPSILON);
  }

  @ParameterizedTest
  @MethodSource("rules")
  void fiveStepsMatchTheFloat64RuleOnEveryDevice(Case c) {
    EveryDevice.check(
        device -> {
          for (int p : new int[] {1, 7, 1000, 70_001}) {
            check(c, device, p);
          }
        });
  }

  private static void check(Case c, Device device, int p) {
    double[][] expected = new double[p][3];
    double[] w = Array64.gaussian(1, p).values();
    for (int i = 0; i < p; i++) {
      expected[i][0] = w[i];
    }
    try (Setup setup = new Setup(c.op(), device, p)) {
      setup.start(floats(w));
      for (int t = 1; t <= 5; t++) {
        double[] g = Array64.gaussian(10 + t, p).values();
        setup.step(floats(g), t);
        for (int i = 0; i < p; i++) {
          c.rule().apply(expected[i], SCALE * g[i], t);
        }
      }
      double worst = 0;
      float[] actual = setup.parameters();
      for (int i = 0; i < p; i++) {
        double error = Math.abs(actual[i] - expected[i][0]);
        worst = Math.max(worst, error / Math.max(1, Math.abs(expected[i][0])));
      }
      // Five steps of a few roundings each.
      assertThat(worst).as("%s, %s, %s parameters", c.op(), device, p).isLessThan(3e-6);
    }
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void lambScalesTheStepOfEachTensorByItsNorms(long[] ends) {
    int p = (int) ends[ends.length - 1];
    List<Long> segments = Stream.of(ends).flatMap(e -> java.util.Arrays.stream(e).boxed()).toList();
    double[] w = Array64.gaussian(1, p).values();
    double[] g = Array64.gaussian(2, p).values();
    double[] expected = w.clone();
    long begin = 0;
    for (long end : ends) {
      double wn = 0;
      double un = 0;
      double[] u = new double[(int) (end - begin)];
      for (int i = (int) begin; i < end; i++) {
        double d = SCALE * g[i];
        u[i - (int) begin] = d / (Math.abs(d) + EPSILON) + DECAY * w[i];
        wn += w[i] * w[i];
        un += u[i - (int) begin] * u[i - (int) begin];
      }
      for (int i = (int) begin; i < end; i++) {
        expected[i] -= RATE * Math.sqrt(wn / un) * u[i - (int) begin];
      }
      begin = end;
    }
    EveryDevice.check(
        device -> {
          try (Setup setup = new Setup(new Lamb(DECAY, B1, B2, EPSILON, segments), device, p)) {
            setup.start(floats(w));
            setup.step(floats(g), 1);
            float[] actual = setup.parameters();
            for (int i = 0; i < p; i++) {
              assertThat((double) actual[i]).isCloseTo(expected[i], within(1e-5));
            }
          }
        });
  }

  static Stream<long[]> sizes() {
    return Stream.of(new long[] {5}, new long[] {3, 20, 117});
  }

  @org.junit.jupiter.api.Test
  void momentsTakeTheExactShareOfTheGradient() {
    double b2 = 0.999; // 1 - 0.999 in float32 is off by 1e-5 of it
    double d = SCALE * 3;
    EveryDevice.check(
        device -> {
          try (Setup setup = new Setup(new Adam(0, B1, b2, EPSILON, false), device, 1)) {
            setup.step(new float[] {3}, 1);
            assertThat(setup.moment(0) / ((1 - B1) * d)).isCloseTo(1, within(2e-7));
            assertThat(setup.moment(1) / ((1 - b2) * d * d)).isCloseTo(1, within(2e-7));
          }
          try (Setup setup = new Setup(new Rmsprop(0, b2, EPSILON), device, 1)) {
            setup.step(new float[] {3}, 1);
            assertThat(setup.moment(0) / ((1 - b2) * d * d)).isCloseTo(1, within(2e-7));
          }
        });
  }

  @org.junit.jupiter.api.Test
  void refusesMomentsOfAnotherLength() {
    Graph g = new Graph();
    Node w = g.input("w", TensorType.of(4));
    Node m = g.input("m", TensorType.of(5));
    Node h = g.input("h", TensorType.of(4));
    assertThatThrownBy(() -> g.apply(new Lion(0, 0.9, 0.99), w, w, m, h, null))
        .isInstanceOf(ShapeException.class)
        .hasMessage("Lion: parameters are [4] but input 2 is [5]");
  }

  static Stream<UpdateOp> withLamb() {
    return Stream.concat(rules().map(Case::op), Stream.of(lamb(1), lamb(1000), lamb(70_001)));
  }

  private static UpdateOp lamb(long end) {
    return new Lamb(DECAY, B1, B2, EPSILON, List.of(end));
  }

  /** Whatever gradients and momentum say, and without any change to the others. */
  @ParameterizedTest
  @MethodSource("withLamb")
  void prunedParametersAreExactlyZeroAndTheOthersAsIfThoseDidNotExist(UpdateOp op) {
    EveryDevice.check(
        device -> {
          for (int p : new int[] {1, 7, 1000, 70_001}) {
            if (!(op instanceof Lamb l) || l.segments().equals(List.of((long) p))) {
              checkMasked(op, device, p);
            }
          }
        });
  }

  private static void checkMasked(UpdateOp op, Device device, int p) {
    float[] w = floats(Array64.gaussian(1, p).values());
    try (Setup masked = new Setup(op, device, p, true);
        Setup zeros = new Setup(op, device, p)) {
      masked.start(w);
      zeros.start(w);
      float[] g = floats(Array64.gaussian(2, p).values());
      masked.step(g, 1); // nothing is pruned yet: the moments of all become something
      zeros.step(g, 1);
      masked.mask(i -> !pruned(i));
      zeros.prune(UpdateOpTest::pruned);
      for (int t = 2; t <= 4; t++) {
        g = floats(Array64.gaussian(10 + t, p).values());
        float[] none = g.clone();
        for (int i = 0; i < p; i++) {
          g[i] = pruned(i) ? i % 2 == 0 ? Float.NaN : 1e30f : g[i];
          none[i] = pruned(i) ? 0 : none[i];
        }
        masked.step(g, t);
        zeros.step(none, t);
        float[] kept = masked.parameters();
        float[] plain = zeros.parameters();
        for (int i = 0; i < p; i++) {
          float x = kept[i];
          String what = op + ", " + device + ", " + p + " parameters, " + i + ", step " + t;
          if (pruned(i)) {
            assertThat(Float.floatToRawIntBits(x)).as(what).isZero();
          } else if (Float.floatToRawIntBits(x) != Float.floatToRawIntBits(plain[i])) {
            assertThat(x).as(what).isEqualTo(plain[i]);
          }
        }
      }
    }
  }

  /** How a step is left out whose gradients are not finite. */
  @ParameterizedTest
  @MethodSource("withLamb")
  void aScaleThatIsNanChangesNothing(UpdateOp op) {
    EveryDevice.check(
        device -> {
          for (int p : new int[] {1, 7, 1000, 70_001}) {
            if (!(op instanceof Lamb l) || l.segments().equals(List.of((long) p))) {
              try (Setup setup = new Setup(op, device, p, false, Float.NaN)) {
                float[] w = floats(Array64.gaussian(1, p).values());
                setup.start(w);
                for (int i = 0; i < op.moments(); i++) {
                  setup.fill(i, w);
                }
                setup.step(floats(Array64.gaussian(2, p).values()), 1);
                setup.require(w);
              }
            }
          }
        });
  }

  private static boolean pruned(int i) {
    return i % 3 == 0 || i % 64 > 50;
  }

  @org.junit.jupiter.api.Test
  void refusesAMaskOfAnotherLength() {
    Graph g = new Graph();
    Node w = g.input("w", TensorType.of(4));
    Node h = g.input("h", TensorType.of(4));
    Node mask = g.input("mask", TensorType.of(5));
    assertThatThrownBy(() -> g.apply(new Sgd(0), w, w, h, null, mask))
        .isInstanceOf(ShapeException.class)
        .hasMessage("Sgd: parameters are [4] but their mask is [5]");
    assertThatThrownBy(() -> g.apply(new Sgd(0), w, w, h, null, w, w))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("perhaps a mask");
  }

  private static float[] floats(double[] values) {
    float[] f = new float[values.length];
    for (int i = 0; i < f.length; i++) {
      f[i] = (float) values[i];
    }
    return f;
  }

  /** The op over variables, gradients scaled by {@link #SCALE}. */
  private static final class Setup implements AutoCloseable {
    private final List<Buffer> buffers = new ArrayList<>();
    private final int moments;
    private final Plan plan;

    Setup(UpdateOp op, Device device, int p) {
      this(op, device, p, false);
    }

    Setup(UpdateOp op, Device device, int p, boolean masked) {
      this(op, device, p, masked, SCALE);
    }

    Setup(UpdateOp op, Device device, int p, boolean masked, double scale) {
      moments = op.moments();
      Graph graph = new Graph();
      Plan.Builder builder = Plan.of(graph).device(device);
      List<Node> in = new ArrayList<>();
      in.add(variable(graph, builder, Storage.PARAMETERS, p));
      in.add(variable(graph, builder, Storage.GRADIENTS, p));
      for (int i = 0; i < op.moments(); i++) {
        in.add(variable(graph, builder, Storage.moment(i), p));
      }
      in.add(variable(graph, builder, Storage.HYPER, 4));
      in.add(graph.constant((float) scale));
      if (masked) {
        in.add(variable(graph, builder, Storage.MASKS, p));
      }
      graph.apply(op, in.toArray(new Node[0]));
      plan = builder.build();
      if (masked) {
        mask(i -> true);
      }
    }

    /** Which parameters are kept. */
    void mask(IntPredicate kept) {
      change(3 + moments, values -> each(values, i -> values.put(i, kept.test(i) ? 1 : 0)));
    }

    void fill(int moment, float[] values) {
      change(2 + moment, to -> to.put(0, values));
    }

    /** That parameters and moments are these, to the bit. */
    void require(float[] values) {
      float[] found = new float[values.length];
      for (int i = 0; i <= moments; i++) {
        buffer(i == 0 ? 0 : 1 + i).get(0, found);
        assertThat(found).isEqualTo(values);
      }
    }

    /** Makes parameters and their moments 0. */
    void prune(IntPredicate pruned) {
      for (int k = 0; k <= moments; k++) {
        change(
            k == 0 ? 0 : 1 + k,
            values -> each(values, i -> values.put(i, pruned.test(i) ? 0 : values.get(i))));
      }
    }

    private static void each(FloatBuffer values, IntConsumer change) {
      IntStream.range(0, values.limit()).forEach(change);
    }

    /** As it is now: a device may have written it. */
    private FloatBuffer buffer(int i) {
      return buffers.get(i).borrow(0, (int) buffers.get(i).byteSize()).asFloatBuffer();
    }

    private void change(int i, Consumer<FloatBuffer> change) {
      change.accept(buffer(i));
      buffers.get(i).changed();
    }

    private Node variable(Graph graph, Plan.Builder builder, Storage storage, int p) {
      Buffer buffer = Buffer.allocate(4L * p);
      buffers.add(buffer);
      builder.storage(storage, buffer);
      return graph.variable(storage.name(), storage, 0, TensorType.of(p));
    }

    void start(float[] parameters) {
      change(0, to -> to.put(0, parameters));
    }

    float[] parameters() {
      FloatBuffer now = buffer(0);
      float[] values = new float[now.limit()];
      now.get(0, values);
      return values;
    }

    /** The first element of a moment. */
    double moment(int i) {
      return buffer(2 + i).get(0);
    }

    void step(float[] g, int t) {
      change(1, to -> to.put(0, g));
      change(
          2 + moments,
          to ->
              to.put(0, (float) RATE)
                  .put(1, t)
                  .put(2, (float) (1 - Math.pow(B1, t)))
                  .put(3, (float) (1 - Math.pow(B2, t))));
      plan.run(1);
    }

    @Override
    public void close() {
      plan.close();
      buffers.forEach(Buffer::close);
    }
  }
}
