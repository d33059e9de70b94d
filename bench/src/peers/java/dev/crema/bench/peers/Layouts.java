package dev.crema.bench.peers;

import dev.crema.bench.QuantizedLayer;

/** Between Crema's layouts, channels last, and those of engines that have channels first. */
final class Layouts {
  private Layouts() {}

  /** [n, pixels, channels] to [n, channels, pixels]. */
  static float[] channelsFirst(float[] images, int n, int pixels, int channels) {
    float[] result = new float[images.length];
    for (int i = 0; i < n; i++) {
      transpose(images, result, i * pixels * channels, pixels, channels);
    }
    return result;
  }

  /** [n, channels, pixels] to [n, pixels, channels]. */
  static float[] channelsLast(float[] images, int n, int pixels, int channels) {
    return channelsFirst(images, n, channels, pixels);
  }

  private static void transpose(float[] from, float[] to, int offset, int rows, int columns) {
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        to[offset + c * rows + r] = from[offset + r * columns + c];
      }
    }
  }

  /** Kernel [taps, in, out] to [out, in, taps]. */
  static float[] kernel(float[] values, int taps, int in, int out) {
    float[] result = new float[values.length];
    for (int t = 0; t < taps; t++) {
      for (int i = 0; i < in; i++) {
        for (int o = 0; o < out; o++) {
          result[(o * in + i) * taps + t] = values[(t * in + i) * out + o];
        }
      }
    }
    return result;
  }

  /** Rows of a dense kernel [pixels · channels, out] in the order [channels · pixels, out]. */
  static float[] rows(float[] values, int pixels, int channels, int out) {
    float[] result = new float[values.length];
    for (int p = 0; p < pixels; p++) {
      for (int c = 0; c < channels; c++) {
        System.arraycopy(values, (p * channels + c) * out, result, (c * pixels + p) * out, out);
      }
    }
    return result;
  }

  /** A convolution's kernel [height, width, in, filters] as [filters, in, height, width]. */
  static byte[] filters(QuantizedLayer layer) {
    long[] d = layer.dims();
    return bytes(kernel(floats(layer.kernel()), (int) (d[0] * d[1]), (int) d[2], (int) d[3]));
  }

  static float[] floats(byte[] values) {
    float[] result = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i];
    }
    return result;
  }

  static byte[] bytes(float[] values) {
    byte[] result = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = (byte) values[i];
    }
    return result;
  }
}
