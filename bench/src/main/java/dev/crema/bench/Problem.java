package dev.crema.bench;

import dev.crema.compress.Quantizer;
import dev.crema.nn.Model;
import java.util.List;

/** What is computed, apart from who computes it. Arrays are row-major, images channels last. */
public sealed interface Problem {
  /** By how much of the largest magnitude engines' results may differ. */
  default double tolerance() {
    return Results.TOLERANCE;
  }

  /**
   * Adam (0.001, 0.9, 0.999, 1e-8) on the mean cross-entropy of one batch: forward, backward,
   * update. What engines are compared on: the losses of {@value #STEPS} steps from the network's
   * initial weights.
   */
  record Training(Network network, int batch) implements Problem {
    public static final int STEPS = 5;
  }

  /** Probabilities of a batch. Compared on them, [batch, 10]. */
  record Prediction(Network network, int batch, Given given) implements Problem {
    public Prediction(Network network, int batch) {
      this(network, batch, null);
    }

    /** The network's weights, layer by layer, kernel then bias. */
    public List<Weights> weights() {
      return given == null ? network.weights() : given.weights();
    }

    /** The batch, [batch, inputs]. */
    public float[] examples() {
      return given == null ? network.examples(batch) : given.examples();
    }
  }

  /**
   * The first prediction of a JVM: the library is loaded, the seed network built from arrays of
   * weights and asked once. The files are warm, natives are extracted.
   *
   * @param process whether the whole process is timed, or from the engine's first call on
   */
  record Start(boolean process) implements Problem {}

  /**
   * y = relu(x + conv(relu(conv(x)))), 3×3, same padding, with bias. x: uniform(1) [batch, side,
   * side, channels]; kernels: weights(2) and weights(3) [3, 3, channels, channels]; biases:
   * uniform(4), uniform(5). With {@code backward} also the gradients of the sum of y ⊙ uniform(6)
   * in x, kernels and biases. Compared on y, or on the gradient in x.
   */
  record ResidualBlock(int channels, int side, int batch, boolean backward) implements Problem {}

  /** c = a·b; a: uniform(1) [m, k], b: uniform(2) [k, n]. Compared on c. */
  record MatMul(int m, int n, int k) implements Problem {
    /**
     * Whether b is the stored weight of a layer that few rows go through: engines may pack it ahead
     * of the runs. Else both factors are new at each run.
     */
    public boolean isLayer() {
      return m < n;
    }
  }

  /**
   * One Adam update (0.001, 0.9, 0.999, 1e-8) of uniform(1) by the gradient uniform(2). Compared on
   * the parameters after the first update.
   */
  record AdamUpdate(int parameters) implements Problem {}

  /** A function of the rows of uniform(1) · 4 [rows, columns]. Compared on the result. */
  record Rowwise(Function function, int rows, int columns) implements Problem {
    /** What is done with a row. */
    public enum Function {
      SOFTMAX,
      /** Epsilon 1e-5; gamma is uniform(2), beta uniform(3). */
      LAYER_NORM,
      /** The exact one, with the error function. */
      GELU
    }

    /** The rows, [rows, columns]. */
    public float[] input() {
      float[] values = Data.uniform(1, rows * columns);
      for (int i = 0; i < values.length; i++) {
        values[i] *= 4;
      }
      return values;
    }
  }

  /** 2×2, stride 2, of uniform(1) [batch, side, side, channels]. Compared on the result. */
  record MaxPool(int batch, int side, int channels) implements Problem {}

  /**
   * All states of an LSTM layer of as many units as features, zero first state, and the gradients
   * of the sum of its states ⊙ uniform(5) in x and the weights. x: uniform(1) [batch, steps,
   * units]; kernel, recurrent kernel: weights(2), weights(3) [units, 4·units], gates i, f, g, o;
   * bias: uniform(4) [4·units]. Compared on the gradient in x.
   */
  record LstmLayer(int units, int batch, int steps) implements Problem {}

  /** Training, by Crema alone, or prediction with matrix products of bfloat16. */
  record Bfloat16(Problem of) implements Problem {
    /** A hidden value next to the middle of two bfloat16 may be rounded the other way. */
    @Override
    public double tolerance() {
      return 0.01;
    }
  }

  /**
   * y = max(x·w / 2048, 0), rounded half to even and saturated to uint8; x: bytes(1) [m, k] as
   * uint8, w: bytes(2) [k, n] as int8, none of them -128. Compared on y: every engine gives the
   * same, for the scale is a power of two.
   */
  record Int8Product(int m, int n, int k) implements Problem {
    public static final float SCALE = 0x1p-11f;

    public byte[] x() {
      return Data.bytes(1, m * k);
    }

    public byte[] w() {
      byte[] w = Data.bytes(2, k * n);
      for (int i = 0; i < w.length; i++) {
        w[i] = (byte) Math.max(-127, w[i]);
      }
      return w;
    }
  }

  /**
   * Prediction in int8, statically quantized by the batch that is predicted: by Crema, whose bytes
   * and scales all engines take. Compared on the probabilities.
   */
  record Int8(Prediction of) implements Problem {
    /**
     * Of the residual network at batch 32 every byte of every layer is the same but four of one
     * sum, which is 29.499993 steps in exact arithmetic: Crema gives 29, as QLinearAdd is defined,
     * ONNX Runtime 30. The four images' probabilities differ by up to 0.2 % for that, all others by
     * 1e-7. Products that saturate are off by 4 %.
     */
    @Override
    public double tolerance() {
      return of.network().isSequence() ? Results.TOLERANCE : 0.01;
    }

    public QuantizedNetwork network() {
      return QuantizedNetwork.of(of);
    }

    /** The layers of a network that is a sequence, first to last. */
    public List<QuantizedLayer> layers() {
      return List.copyOf(network().products().values());
    }
  }

  /**
   * Prediction with dense layers quantized by Crema, in any case: dynamic int8, or, by Crema alone,
   * weights of int8 or int4 on float32. Compared on the probabilities.
   *
   * @param bits of a weight
   * @param dynamic whether inputs become bytes, too
   */
  record QuantizedWeights(Prediction of, int bits, boolean dynamic) implements Problem {
    /** Crema scales each row by itself, ONNX Runtime the whole batch by its greatest numbers. */
    @Override
    public double tolerance() {
      return dynamic ? 0.02 : Results.TOLERANCE;
    }

    /** The dense layers' bytes, scales and biases, first to last. */
    public List<DynamicLayer> layers() {
      try (Model model = model()) {
        return model.quantization().layers().entrySet().stream()
            .map(e -> DynamicLayer.of(model, e.getKey(), e.getValue()))
            .toList();
      }
    }

    /** The network; the caller closes it. */
    Model model() {
      Quantizer quantizer =
          dynamic
              ? Quantizer.dynamic()
              : Quantizer.weightOnly(bits, bits == 4 ? Quantizer.GROUP_SIZE : 0);
      try (Model model = of.network().model()) {
        return quantizer.always().quantize(model);
      }
    }
  }

  /**
   * As {@link MatMul}, by a stored weight of which nine tenths are 0: those of b whose place in the
   * numbers uniform(3), of [-1, 1), is below 0.8. Compared on c.
   */
  record SparseMatMul(MatMul of) implements Problem {
    public float[] weights() {
      float[] b = Data.uniform(2, of.k * of.n);
      float[] chance = Data.uniform(3, of.k * of.n);
      for (int i = 0; i < b.length; i++) {
        b[i] = chance[i] < 0.8f ? 0 : b[i];
      }
      return b;
    }
  }

  /** A kernel of Crema's alone, by its name in {@link Kernels}. */
  record Kernel(String name) implements Problem {}
}
