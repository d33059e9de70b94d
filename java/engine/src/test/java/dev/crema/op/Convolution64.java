package dev.crema.op;

/** Convolutions and poolings by their definition, in float64. */
final class Convolution64 {
  private Convolution64() {}

  private interface Product {
    void at(int x, int kernel, int y);
  }

  /** Calls {@code product} with the indices of each product in a convolution of x to y. */
  private static void each(
      int[] x, int[] kernel, int[] y, Window2d w, int groups, Product product) {
    int inGroup = kernel[2];
    int outGroup = kernel[3] / groups;
    for (int n = 0; n < y[0]; n++) {
      for (int oy = 0; oy < y[1]; oy++) {
        for (int ox = 0; ox < y[2]; ox++) {
          for (int i = 0; i < kernel[0]; i++) {
            int row = oy * w.strideHeight() + i * w.dilationHeight() - w.top();
            for (int j = 0; j < kernel[1]; j++) {
              int column = ox * w.strideWidth() + j * w.dilationWidth() - w.left();
              if (row < 0 || row >= x[1] || column < 0 || column >= x[2]) {
                continue;
              }
              for (int o = 0; o < kernel[3]; o++) {
                for (int k = 0; k < inGroup; k++) {
                  product.at(
                      ((n * x[1] + row) * x[2] + column) * x[3] + o / outGroup * inGroup + k,
                      ((i * kernel[1] + j) * inGroup + k) * kernel[3] + o,
                      ((n * y[1] + oy) * y[2] + ox) * y[3] + o);
                }
              }
            }
          }
        }
      }
    }
  }

  private static int[] dims(Array64 a) {
    int[] dims = new int[4];
    for (int i = 0; i < 4; i++) {
      dims[i] = a.dim(i);
    }
    return dims;
  }

  private static void addBias(Array64 y, Array64[] in) {
    for (int i = 0; in.length > 2 && i < y.size(); i++) {
      y.values()[i] += in[2].values()[i % in[2].size()];
    }
  }

  /** x [n, h, w, c], kernel and perhaps bias. */
  static Array64 forward(Array64[] in, Window2d w, int groups) {
    int[] x = dims(in[0]);
    int[] kernel = dims(in[1]);
    int rows =
        windows(x[1] + w.top() + w.bottom(), kernel[0], w.strideHeight(), w.dilationHeight());
    int columns =
        windows(x[2] + w.left() + w.right(), kernel[1], w.strideWidth(), w.dilationWidth());
    Array64 y = Array64.zeros(x[0], rows, columns, kernel[3]);
    addBias(y, in);
    each(
        x,
        kernel,
        dims(y),
        w,
        groups,
        (ix, ik, iy) -> y.values()[iy] += in[0].values()[ix] * in[1].values()[ik]);
    return y;
  }

  private static int windows(int inputs, int taps, int stride, int dilation) {
    return (inputs - (taps - 1) * dilation - 1) / stride + 1;
  }

  /**
   * x, kernel [kh, kw, out / groups, in] and perhaps bias, to an output of that height and width.
   */
  static Array64 transposed(Array64[] in, Window2d w, int groups, int height, int width) {
    Array64 y = Array64.zeros(in[0].dim(0), height, width, in[1].dim(2) * groups);
    addBias(y, in);
    each(
        dims(y),
        dims(in[1]),
        dims(in[0]),
        w,
        groups,
        (iy, ik, ix) -> y.values()[iy] += in[0].values()[ix] * in[1].values()[ik]);
    return y;
  }

  /** Sequences [n, l, c] as images of one row. */
  static Array64 image(Array64 a) {
    return a.reshape(a.dim(0), 1, a.dim(1), a.dim(2));
  }

  /** The kernel of a convolution of sequences, [k, in, out], as one of a single row. */
  static Array64 row(Array64 kernel) {
    return kernel.reshape(1, kernel.dim(0), kernel.dim(1), kernel.dim(2));
  }

  /** How a window's pixels become one number. */
  interface Pooling {
    double of(double[] pixels, int inside, int size);
  }

  static Array64 pool(Array64 x, int height, int width, Window2d w, Pooling pooling) {
    int rows = windows(x.dim(1) + w.top() + w.bottom(), height, w.strideHeight(), 1);
    int columns = windows(x.dim(2) + w.left() + w.right(), width, w.strideWidth(), 1);
    int c = x.dim(3);
    Array64 y = Array64.zeros(x.dim(0), rows, columns, c);
    double[] pixels = new double[height * width];
    for (int i = 0; i < y.size(); i++) {
      int top = i / c / columns % rows * w.strideHeight() - w.top();
      int left = i / c % columns * w.strideWidth() - w.left();
      int inside = 0;
      for (int r = Math.max(0, top); r < Math.min(x.dim(1), top + height); r++) {
        for (int q = Math.max(0, left); q < Math.min(x.dim(2), left + width); q++) {
          int at = ((i / c / columns / rows * x.dim(1) + r) * x.dim(2) + q) * c + i % c;
          pixels[inside++] = x.values()[at];
        }
      }
      y.values()[i] = pooling.of(pixels, inside, pixels.length);
    }
    return y;
  }
}
