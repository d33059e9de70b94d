package dev.crema.data;

import dev.crema.CremaException;
import java.util.Arrays;

/** Changes the size of images, [height, width, channels] floats in row-major order. */
public final class Images {
  private Images() {}

  /**
   * Averages every target pixel over the exact area of the source that it covers, with fractional
   * weights at the edges where the sizes don't divide.
   */
  public static RowFunction averageDown(
      int height, int width, int toHeight, int toWidth, int channels) {
    if (toHeight < 1 || toWidth < 1 || toHeight > height || toWidth > width || channels < 1) {
      throw new CremaException(
          "Averaging goes from a greater to a smaller image, got "
              + (height + "×" + width + " to " + toHeight + "×" + toWidth)
              + " with "
              + channels
              + " channels");
    }
    return separable(
        Taps.area(height, toHeight), Taps.area(width, toWidth), width, toWidth, channels);
  }

  /**
   * Bilinear interpolation with pixel centres at half coordinates; when it shrinks, the triangle
   * filter widens with the scale, so nothing of the source is passed over.
   */
  public static RowFunction bilinear(
      int height, int width, int toHeight, int toWidth, int channels) {
    return separable(
        Taps.triangle(height, toHeight), Taps.triangle(width, toWidth), width, toWidth, channels);
  }

  private static RowFunction separable(
      Taps vertical, Taps horizontal, int width, int toWidth, int channels) {
    int toHeight = vertical.count();
    return (in, out) -> {
      float[] line = new float[width * channels];
      for (int y = 0; y < toHeight; y++) {
        vertical.blendLines(y, in, line);
        horizontal.blendPixels(line, channels, out, y * toWidth * channels);
      }
    };
  }

  /** For each target position, which source positions count and how much. Weights sum to 1. */
  private record Taps(int[] first, float[][] weights) {
    int count() {
      return first.length;
    }

    static Taps area(int from, int to) {
      int[] first = new int[to];
      float[][] weights = new float[to][];
      for (int t = 0; t < to; t++) {
        // Target t covers source [t·from, (t+1)·from) in units of 1/to pixel: exact integers.
        long low = (long) t * from;
        long high = low + from;
        first[t] = (int) (low / to);
        int end = (int) ((high + to - 1) / to);
        weights[t] = new float[end - first[t]];
        for (int s = first[t]; s < end; s++) {
          long covered = Math.min(high, (s + 1L) * to) - Math.max(low, (long) s * to);
          weights[t][s - first[t]] = (float) ((double) covered / from);
        }
      }
      return new Taps(first, weights);
    }

    static Taps triangle(int from, int to) {
      int[] first = new int[to];
      float[][] weights = new float[to][];
      double scale = (double) from / to;
      double radius = Math.max(1, scale);
      for (int t = 0; t < to; t++) {
        double centre = (t + 0.5) * scale - 0.5;
        int low = Math.max(0, (int) Math.ceil(centre - radius));
        int high = Math.min(from - 1, (int) Math.floor(centre + radius));
        double[] w = new double[high - low + 1];
        double sum = 0;
        for (int s = low; s <= high; s++) {
          w[s - low] = Math.max(0, 1 - Math.abs(s - centre) / radius);
          sum += w[s - low];
        }
        first[t] = low;
        weights[t] = new float[w.length];
        for (int i = 0; i < w.length; i++) {
          weights[t][i] = (float) (w[i] / sum);
        }
      }
      return new Taps(first, weights);
    }

    void blendLines(int t, float[] image, float[] line) {
      Arrays.fill(line, 0);
      for (int k = 0; k < weights[t].length; k++) {
        float w = weights[t][k];
        int from = (first[t] + k) * line.length;
        for (int i = 0; i < line.length; i++) {
          line[i] += w * image[from + i];
        }
      }
    }

    void blendPixels(float[] line, int channels, float[] out, int at) {
      for (int t = 0; t < first.length; t++) {
        for (int c = 0; c < channels; c++) {
          float sum = 0;
          for (int k = 0; k < weights[t].length; k++) {
            sum += weights[t][k] * line[(first[t] + k) * channels + c];
          }
          out[at + t * channels + c] = sum;
        }
      }
    }
  }
}
