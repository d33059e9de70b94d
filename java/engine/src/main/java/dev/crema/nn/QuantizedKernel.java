package dev.crema.nn;

import dev.crema.pass.LayerQuantization;
import dev.crema.pass.QuantizationScheme;

/**
 * How a kernel [..., units] or a table [rows, columns] stands as whole numbers times scales:
 * element i as the nearest multiple of {@link #scale}(i).
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

  /** The whole number of a weight; as the device's kernels compute it. NaN becomes 0. */
  byte number(float weight, long i) {
    int most = scheme.most();
    return (byte) Math.max(-most, Math.min(most, Math.rint(weight / scale(i))));
  }

  boolean isInt4() {
    return scheme.bits() == 4;
  }
}
