package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Weights [rows, units] that are multiples of their columns' scales, and what layers of them give
 * on every device.
 */
record QuantizedWeights(int units, int[] w, float[] scales, float[] bias) {
  static QuantizedWeights random(Random random, int rows, int units) {
    float[] scales = new float[units];
    float[] bias = new float[units];
    for (int j = 0; j < units; j++) {
      scales[j] = 0.002f + random.nextFloat() * 0.01f;
      bias[j] = (float) random.nextGaussian();
    }
    return new QuantizedWeights(
        units, random.ints((long) rows * units, -127, 128).toArray(), scales, bias);
  }

  /** Number {@code row} of column {@code j}. */
  int at(int row, int j) {
    return w[row * units + j];
  }

  /** Packs them, when a plan is made, as a kernel of that shape. */
  Node packed(
      Graph graph,
      QuantizationParameters x,
      QuantizationParameters y,
      boolean biased,
      long run,
      long... shape) {
    float[] kernel = new float[w.length];
    for (int i = 0; i < kernel.length; i++) {
      kernel[i] = w[i] * scales[i % units];
    }
    if (w[0] == 0) {
      kernel[0] = Float.NaN; // becomes 0
    }
    TensorType type = PackQuantized.typeOf(w.length / units, run, units);
    Node packed = graph.variable("packed", Storage.STATE, 0, type);
    Node k = graph.add(new Constant(kernel, TensorType.of(shape)));
    Node s = graph.add(new Constant(scales, TensorType.of(units)));
    Node b = biased ? graph.add(new Constant(bias, TensorType.of(units))) : null;
    graph.apply(new PackQuantized(x, y, run), packed, k, s, b);
    return packed;
  }

  /** What a static layer's output is, of the sum of its column {@code j} without the bias. */
  float number(
      int sum,
      int j,
      QuantizationParameters x,
      QuantizationParameters y,
      FusedActivation activation) {
    float product = x.scale() * scales[j];
    int biased = sum + (int) Math.rint((double) bias[j] / product);
    float v = (float) biased * (y == null ? product : product / y.scale());
    v = activation == FusedActivation.RELU && v < 0 ? 0 : v;
    return y == null ? v : (float) Math.max(0, Math.min(255, Math.rint(v) + y.zeroPoint()));
  }

  /** Runs a plan on every device; y must have those numbers, each float32 or uint8. */
  static void check(
      Graph graph, Node packed, Node y, int batch, Consumer<Plan> fill, float[] expected) {
    boolean bytes = y.type().element() == ElementType.UINT8;
    EveryDevice.check(
        device -> {
          try (Buffer memory = Buffer.allocate(4 * packed.type().elements().constant());
              Plan plan =
                  Plan.of(graph)
                      .outputs(y)
                      .capacity(batch)
                      .storage(Storage.STATE, memory)
                      .device(device)
                      .build()) {
            fill.accept(plan);
            plan.run(batch);
            ByteBuffer actual = plan.output(y);
            assertThat(actual.remaining()).isEqualTo(expected.length * (bytes ? 1 : 4));
            for (int i = 0; i < expected.length; i++) {
              float v = bytes ? actual.get(i) & 255 : actual.getFloat(4 * i);
              if (v != expected[i]) { // bit for bit, but for the sign of 0
                assertThat(v).as("%s: number %d", device, i).isEqualTo(expected[i]);
              }
            }
          }
        });
  }
}
