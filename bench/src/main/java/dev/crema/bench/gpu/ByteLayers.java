package dev.crema.bench.gpu;

import dev.crema.bench.gpu.StoredGraph.Tensors;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.op.Fp8;
import dev.crema.op.Fp8Linear;
import dev.crema.op.FusedActivation;
import dev.crema.op.PackFp8;
import dev.crema.op.PackQuantized;
import dev.crema.op.QuantizationParameters;
import dev.crema.op.QuantizeFp8;
import dev.crema.op.QuantizeLinear;
import dev.crema.op.QuantizedLinear;
import java.util.Arrays;

/** Dense layers as a quantized predictor computes them; weights are packed before the runs. */
abstract class ByteLayers {
  /** Of the numbers between layers; those of the MLP are about a third. */
  private static final float RANGE = 1.5f;

  final Tensors tensors;

  private ByteLayers(Tensors tensors) {
    this.tensors = tensors;
  }

  /**
   * @param arithmetic INT8 or FP8
   */
  static ByteLayers of(Tensors tensors, Arithmetic arithmetic) {
    return arithmetic == Arithmetic.INT8 ? new Int8(tensors) : new OfFp8(tensors);
  }

  /** Any bytes [n, n] by weights [n, n]; stores numbers. */
  void product(int n) {
    Node x = tensors.bytes(mask(), n, n);
    tensors.store(layer(x, n, n, FusedActivation.NONE, true));
  }

  /** Numbers [batch, inputs] through layers with biases and ReLU, none behind the last. */
  void mlp(int[] widths, int batch) {
    Node x = tensors.uniform(1, batch, widths[0]);
    Node bytes = quantize(x);
    for (int i = 1; i < widths.length - 1; i++) {
      bytes = layer(bytes, widths[i - 1], widths[i], FusedActivation.RELU, false);
    }
    int last = widths.length - 1;
    tensors.store(layer(bytes, widths[last - 1], widths[last], FusedActivation.NONE, true));
  }

  abstract int mask();

  abstract Node quantize(Node x);

  /**
   * @param numbers whether the output is float32; else bytes for the next layer
   */
  abstract Node layer(Node x, int in, int units, FusedActivation activation, boolean numbers);

  Node kernel(int in, int units) {
    return tensors.uniform(1 / Math.sqrt(in), in, units);
  }

  Node bias(int in, int units) {
    return tensors.uniform(1 / Math.sqrt(in), units);
  }

  /** One for each output, so that the greatest weight becomes {@code most}. */
  Node scales(int in, int units, double most) {
    float[] scales = new float[units];
    Arrays.fill(scales, (float) (1 / Math.sqrt(in) / most));
    return tensors.graph().add(new Constant(scales, TensorType.of(units)));
  }

  Node packed(TensorType type) {
    return tensors.zeros(type.extent(0), type.extent(1));
  }

  private static final class Int8 extends ByteLayers {
    private static final int MOST = 127;
    private static final QuantizationParameters X = QuantizationParameters.ofRange(-RANGE, RANGE);

    private Int8(Tensors tensors) {
      super(tensors);
    }

    @Override
    int mask() {
      return 0xFF;
    }

    @Override
    Node quantize(Node x) {
      return x.then(new QuantizeLinear(X, ElementType.UINT8));
    }

    @Override
    Node layer(Node x, int in, int units, FusedActivation activation, boolean numbers) {
      QuantizationParameters y = numbers ? null : X;
      Node packed = packed(PackQuantized.typeOf(in, in, units));
      Node scales = scales(in, units, MOST);
      tensors.before(
          new PackQuantized(X, y, in), packed, kernel(in, units), scales, bias(in, units));
      return x.then(new QuantizedLinear(units, activation, y), packed);
    }
  }

  private static final class OfFp8 extends ByteLayers {
    private static final int BELOW_TWO = 0xBF; // the bits of a code whose number is less than 2
    private static final float SCALE = RANGE / Fp8.MAX;

    private OfFp8(Tensors tensors) {
      super(tensors);
    }

    @Override
    int mask() {
      return BELOW_TWO;
    }

    @Override
    Node quantize(Node x) {
      return x.then(new QuantizeFp8(SCALE));
    }

    @Override
    Node layer(Node x, int in, int units, FusedActivation activation, boolean numbers) {
      Node packed = packed(PackFp8.typeOf(in, units));
      tensors.before(new PackFp8(), packed, kernel(in, units), scales(in, units, Fp8.MAX));
      Node y = x.then(new Fp8Linear(units, activation, SCALE), packed, bias(in, units));
      return numbers ? y : quantize(y);
    }
  }
}
