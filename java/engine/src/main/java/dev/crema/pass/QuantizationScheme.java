package dev.crema.pass;

import dev.crema.graph.ShapeException;
import dev.crema.op.Fp8;
import dev.crema.op.PackWeightOnly;
import java.util.Locale;

/**
 * How a layer multiplies by quantized weights, which are whole numbers, or those of {@link Fp8},
 * times a scale.
 *
 * @param method what becomes of the layer's inputs
 * @param bits of a weight: 8, or 4 where only weights are quantized
 * @param groupSize inputs that share a scale of an output; 0: all
 */
public record QuantizationScheme(Method method, int bits, int groupSize) {
  /** What becomes of a layer's inputs. */
  public enum Method {
    /** Bytes, of ranges that are known before: calibrated. */
    STATIC,
    /** Bytes, each row of the range that it turns out to have. */
    DYNAMIC,
    /** They stay float32, and the weights become float32 where they are multiplied. */
    WEIGHT_ONLY,
    /** Numbers of {@link Fp8}, as the weights are, times a scale that is known before. */
    FP8;

    /** For example {@code weight-only}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * The method of a name.
     *
     * @throws ShapeException if there is none
     */
    public static Method of(String name) {
      for (Method m : values()) {
        if (m.toString().equals(name)) {
          return m;
        }
      }
      throw new ShapeException("no method of quantization is called '" + name + "'");
    }
  }

  /** int8 weights with a scale for each output, on uint8 inputs of calibrated ranges. */
  public static final QuantizationScheme STATIC = new QuantizationScheme(Method.STATIC, 8, 0);

  /** int8 weights with a scale for each output, on uint8 inputs of the ranges of their rows. */
  public static final QuantizationScheme DYNAMIC = new QuantizationScheme(Method.DYNAMIC, 8, 0);

  /** {@link Fp8} weights with a scale for each output, on inputs of a calibrated scale. */
  public static final QuantizationScheme FP8 = new QuantizationScheme(Method.FP8, 8, 0);

  /**
   * @throws ShapeException if there are no such products
   */
  public QuantizationScheme {
    boolean only = method == Method.WEIGHT_ONLY;
    if (bits != 8 && !(only && bits == 4)) {
      throw new ShapeException(
          "weights have 8 bits, or 4 where only weights are quantized, got "
              + bits
              + " for "
              + method);
    }
    if (groupSize < 0 || groupSize % PackWeightOnly.MULTIPLE != 0 || !only && groupSize > 0) {
      throw new ShapeException(
          "inputs that share a scale are all (0), or where only weights are quantized a multiple of "
              + PackWeightOnly.MULTIPLE
              + ", got "
              + groupSize
              + " for "
              + method);
    }
  }

  /** Weights of 8 or 4 bits, on float32 inputs, of which each group shares a scale; 0: all do. */
  public static QuantizationScheme weightOnly(int bits, int groupSize) {
    return new QuantizationScheme(Method.WEIGHT_ONLY, bits, groupSize);
  }

  /** The greatest number that a weight becomes; the least is its opposite. */
  public int most() {
    return method == Method.FP8 ? (int) Fp8.MAX : (1 << bits - 1) - 1;
  }

  /** Whether what a layer reads is measured on examples before. */
  public boolean isCalibrated() {
    return method == Method.STATIC || method == Method.FP8;
  }

  /** Scales of each output of a kernel with that many inputs. */
  public long groups(long inputs) {
    return PackWeightOnly.groups(inputs, groupSize);
  }
}
