package dev.crema.nn;

import dev.crema.op.Fp8;
import dev.crema.pass.LayerQuantization;
import dev.crema.pass.QuantizationScheme;

/**
 * How a kernel [..., units] or a table [rows, columns] stands as whole numbers, or those of fp8,
 * times scales: element i as the number nearest to its quotient by {@link #scale}(i).
 *
 * @param scales of a kernel [groups, units], of a table [rows]
 * @param across scales of a group: units, or one
 * @param size elements of a group
 */
record QuantizedKernel(QuantizationScheme scheme, float[] scales, int across, long size) {
  static QuantizedKernel of(Parameter p, LayerQuantization q) {
    int columns = Math.toIntExact(p.type().extent(-1));
    if (Quantization.hasScaledRows(p.path())) {
      return new QuantizedKernel(q.scheme(), q.weightScales(), 1, columns);
    }
    int group = q.scheme().groupSize();
    long size = group == 0 ? Long.MAX_VALUE : (long) group * columns;
    return new QuantizedKernel(q.scheme(), q.weightScales(), columns, size);
  }

  float scale(long i) {
    return scales[(int) (i / size * across + i % across)];
  }

  /**
   * The whole number of a weight, or the bits of its fp8; as the device's kernels compute it. NaN
   * becomes 0, and stays NaN as fp8.
   */
  byte number(float weight, long i) {
    if (isFp8()) {
      return Fp8.of(weight / scale(i));
    }
    int most = scheme.most();
    return (byte) Math.max(-most, Math.min(most, Math.rint(weight / scale(i))));
  }

  /** What a {@link #number} stands for. */
  float weight(int number, long i) {
    return (isFp8() ? Fp8.valueOf((byte) number) : number) * scale(i);
  }

  /** Whether a file may hold that number. */
  boolean isNumber(int number) {
    return isFp8() ? (number & Fp8.NAN) != Fp8.NAN : number >= -scheme.most();
  }

  /** What may be in a file, for a message about something else. */
  String numbers() {
    return isFp8()
        ? ", which is NaN as fp8"
        : "; the least number of its kind is -" + scheme.most();
  }

  boolean isInt4() {
    return scheme.bits() == 4;
  }

  private boolean isFp8() {
    return scheme.method() == QuantizationScheme.Method.FP8;
  }

  /** What stands behind the kernel's path in its name in a file. */
  String suffix() {
    return isInt4() ? ".int4" : isFp8() ? ".fp8" : "";
  }
}
