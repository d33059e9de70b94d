package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ops of tensors in 16 bits on cards and with emulated kernels: forward and backward they differ
 * from float32's by the rounding of what is stored. Inputs are numbers that both 16-bit types hold.
 */
final class HalfOpsTest {
  private static final Window2d SAME = Window2d.valid(2, 2).padded(1, 1, 1, 1);

  /** A graph of an input of that shape: the op takes the cast input and gives what is compared. */
  private record Case(long[] shape, UnaryOperator<Node> op) {}

  private static Map<String, Case> cases() {
    Map<String, Case> all = new LinkedHashMap<>();
    long[] rows = {5, 24};
    long[] odd = {3, 7};
    long[] longRows = {2, 1100};
    long[] images = {2, 5, 6, 8};
    all.put("softmax", new Case(rows, x -> x.then(new Softmax())));
    all.put("softmax of long rows", new Case(longRows, x -> x.then(new Softmax())));
    all.put("log_softmax", new Case(odd, x -> x.then(new LogSoftmax())));
    all.put("layer_norm", new Case(rows, x -> x.then(new LayerNorm(1e-3), null, null)));
    all.put("layer_norm, odd", new Case(odd, x -> x.then(new LayerNorm(1e-3), null, null)));
    all.put("layer_norm, long", new Case(longRows, x -> x.then(new LayerNorm(1e-3), null, null)));
    all.put("rms_norm", new Case(rows, x -> x.then(new RmsNorm(1e-3), null, null)));
    all.put("batch_norm", new Case(rows, HalfOpsTest::batchNorm));
    all.put("batch_norm, odd", new Case(odd, HalfOpsTest::batchNorm));
    all.put("batch_norm of images", new Case(images, HalfOpsTest::batchNorm));
    all.put("max_pool2d", new Case(images, x -> x.then(new MaxPool2d(3, 3, SAME))));
    all.put("average_pool2d", new Case(images, x -> x.then(new AveragePool2d(3, 3, SAME, true))));
    all.put("global_average_pool", new Case(images, x -> x.then(new GlobalAveragePool())));
    all.put("global_max_pool", new Case(images, x -> x.then(new GlobalMaxPool())));
    all.put("reduce_sum", new Case(rows, x -> x.then(new ReduceSum(List.of(1), false))));
    all.put("reduce_sum of columns", new Case(rows, x -> x.then(new ReduceSum(List.of(0), true))));
    all.put("reduce_mean", new Case(images, x -> x.then(new ReduceMean(List.of(1, 2), false))));
    all.put("reduce_max", new Case(odd, x -> x.then(new ReduceMax(List.of(1), false))));
    all.put("transpose", new Case(images, x -> x.then(new Transpose(List.of(0, 3, 1, 2)))));
    all.put("concat", new Case(odd, x -> x.then(new Concat(1), x.then(new Relu()))));
    all.put("slice", new Case(rows, HalfOpsTest::slice));
    all.put("pad", new Case(odd, x -> x.then(reflected())));
    all.put("gelu", new Case(odd, x -> x.then(new Gelu())));
    all.put("chain", new Case(rows, x -> x.then(new Exp()).then(new Mul(), x).then(new Tanh())));
    all.put("broadcast", new Case(rows, HalfOpsTest::broadcast));
    all.put("gather", new Case(rows, HalfOpsTest::gather));
    long[] sequence = {1, 5, 24};
    all.put("attention", new Case(sequence, x -> attention(x, false)));
    all.put("attention, causal", new Case(new long[] {2, 70, 40}, x -> attention(x, true)));
    all.put("attention of heads inside", new Case(new long[] {2, 5, 3, 24}, HalfOpsTest::heads));
    all.put("attention of great heads", new Case(new long[] {1, 3, 132}, x -> attention(x, false)));
    return all;
  }

  private static Node batchNorm(Node x) {
    long n = x.type().dim(x.type().rank() - 1).constant();
    Graph graph = x.graph();
    Node mean = graph.input("mean", TensorType.of(n));
    Node variance = graph.input("variance", TensorType.of(n));
    return x.then(new BatchNorm(1e-3, 0.1), null, null, mean, variance);
  }

  private static Node slice(Node x) {
    return x.then(new Slice(List.of(0L, 1L), List.of(Slice.WHOLE, 18L), List.of(2L, 3L)));
  }

  private static Pad reflected() {
    return new Pad(List.of(0L, 2L), List.of(0L, 3L), Pad.Mode.REFLECT, 0);
  }

  private static Node broadcast(Node x) {
    return x.then(new Add(), x.then(new ReduceMean(List.of(1), true)));
  }

  /** The scores are small, so that their rounding is. */
  private static Node attention(Node x, boolean causal) {
    double scale = 1.0 / (32 * x.type().extent(-1));
    return x.then(new Attention(causal, scale, Precision.FLOAT32, false), x, x);
  }

  private static Node heads(Node x) {
    double scale = 1.0 / (32 * x.type().extent(-1));
    return x.then(new Attention(true, scale, Precision.FLOAT32, true), x, x);
  }

  private static Node gather(Node x) {
    return x.then(new Gather(0), x.graph().input("indices", TensorType.of(ElementType.INT32, 4)));
  }

  static Stream<Arguments> casesOfTypes() {
    return cases().keySet().stream()
        .flatMap(
            name ->
                Stream.of(ElementType.BFLOAT16, ElementType.FLOAT16)
                    .map(type -> Arguments.of(name, type)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("casesOfTypes")
  void differsFromFloat32ByTheRoundingOfWhatIsStored(String name, ElementType type) {
    Case c = cases().get(name);
    // A few roundings of half an ulp, relative to the largest value; gradients pass more of them.
    double ulp = type == ElementType.BFLOAT16 ? 1.0 / 128 : 1.0 / 1024;
    EveryDevice.cards(
        device -> {
          List<float[]> expected = run(device, c, ElementType.FLOAT32);
          List<float[]> actual = run(device, c, type);
          assertClose("y", actual.get(0), expected.get(0), 2 * ulp);
          assertClose("dx", actual.get(1), expected.get(1), 4 * ulp);
        });
  }

  /** The op's result and the gradient of its input. */
  private static List<float[]> run(Device device, Case c, ElementType type) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.of(c.shape));
    Node y = c.op.apply(x.then(new Cast(type))).then(new Cast(ElementType.FLOAT32));
    Node seed = graph.input("seed", y.type());
    Node dx = Autodiff.gradients(List.of(y), List.of(seed), List.of(x)).get(x);
    List<float[]> results = new ArrayList<>();
    try (Plan plan = Plan.of(graph).outputs(y, dx).capacity(1).device(device).build()) {
      for (String name : plan.inputs()) {
        Buffer input = plan.input(name);
        ByteBuffer bytes = input.borrow(0, (int) input.byteSize()).order(ByteOrder.nativeOrder());
        if (name.equals("indices")) {
          bytes.asIntBuffer().put(new int[] {2, 0, 2, 4});
          continue;
        }
        FloatBuffer floats = bytes.asFloatBuffer();
        for (int i = 0; floats.hasRemaining(); i++) {
          floats.put(((i * 37 + name.length()) % 97 - 48) / 16f);
        }
      }
      plan.run(1);
      for (Node node : List.of(y, dx)) {
        FloatBuffer floats =
            plan.output(node).duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
        float[] values = new float[floats.remaining()];
        floats.get(values);
        results.add(values);
      }
    }
    return results;
  }

  private static void assertClose(String what, float[] actual, float[] expected, double tolerance) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    double scale = 0;
    for (float e : expected) {
      assertThat(e).as(what).isFinite();
      scale = Math.max(scale, Math.abs(e));
    }
    assertThat(scale).as("scale of " + what).isPositive();
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) actual[i])
          .as(what + ", element " + i)
          .isCloseTo(expected[i], within(tolerance * scale));
    }
  }
}
