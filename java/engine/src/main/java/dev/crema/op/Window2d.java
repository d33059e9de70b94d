package dev.crema.op;

import dev.crema.graph.Dim;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;

/**
 * How a window slides over images [n, h, w, c]: in pixels, strides between windows, dilations
 * between the taps of a window, and zeros around the image. Sequences [n, l, c] are images of one
 * row.
 */
public record Window2d(
    int strideHeight,
    int strideWidth,
    int dilationHeight,
    int dilationWidth,
    int top,
    int bottom,
    int left,
    int right) {
  public Window2d {
    if (strideHeight < 1 || strideWidth < 1) {
      throw new ShapeException(
          "strides must be at least 1 but are " + strideHeight + " and " + strideWidth);
    }
    if (dilationHeight < 1 || dilationWidth < 1) {
      throw new ShapeException(
          "dilations must be at least 1 but are " + dilationHeight + " and " + dilationWidth);
    }
    if (top < 0 || bottom < 0 || left < 0 || right < 0) {
      throw new ShapeException(
          "padding must not be negative but is top "
              + top
              + ", bottom "
              + bottom
              + ", left "
              + left
              + ", right "
              + right);
    }
  }

  /** Windows that lie wholly inside the image. */
  public static Window2d valid(int strideHeight, int strideWidth) {
    return new Window2d(strideHeight, strideWidth, 1, 1, 0, 0, 0, 0);
  }

  /** As {@link #valid} with these distances between taps. */
  public Window2d dilated(int height, int width) {
    return new Window2d(
        strideHeight, strideWidth, height, width, this.top, this.bottom, this.left, this.right);
  }

  public Window2d padded(int newTop, int newBottom, int newLeft, int newRight) {
    return new Window2d(
        strideHeight,
        strideWidth,
        dilationHeight,
        dilationWidth,
        newTop,
        newBottom,
        newLeft,
        newRight);
  }

  /**
   * Padded so that there are ⌈h / stride⌉ rows and ⌈w / stride⌉ columns of windows; an odd zero
   * goes to the bottom and the right.
   *
   * @param x [n, h, w, c] or [n, l, c]
   * @param height rows of taps
   * @param width columns of taps
   */
  public Window2d same(TensorType x, long height, long width) {
    int h = missing(height(x), height, strideHeight, dilationHeight);
    int w = missing(x.extent(-2), width, strideWidth, dilationWidth);
    return padded(h / 2, h - h / 2, w / 2, w - w / 2);
  }

  private static int missing(long inputs, long taps, int stride, int dilation) {
    long windows = (inputs + stride - 1) / stride;
    return (int) Math.max(0, (windows - 1) * stride + (taps - 1) * dilation + 1 - inputs);
  }

  /** Rows of an image; 1 for a sequence. */
  static long height(TensorType x) {
    return x.rank() == 4 ? x.extent(1) : 1;
  }

  /** Rows of windows of {@code taps} rows over an image of {@code h} rows. */
  long rows(long h, long taps) {
    return count("height", h, taps, strideHeight, dilationHeight, top, bottom);
  }

  long columns(long w, long taps) {
    return count("width", w, taps, strideWidth, dilationWidth, left, right);
  }

  private static long count(
      String axis, long inputs, long taps, int stride, int dilation, int before, int after) {
    long extent = Math.addExact(Math.multiplyExact(taps - 1, (long) dilation), 1);
    long padded = inputs + before + after;
    if (extent > padded) {
      throw new ShapeException(
          "a window of "
              + axis
              + " "
              + extent
              + (dilation == 1 ? "" : " (" + taps + " taps, dilation " + dilation + ")")
              + " does not fit "
              + axis
              + " "
              + inputs
              + " with padding "
              + before
              + " and "
              + after
              + ". Use a smaller window or more padding.");
    }
    return (padded - extent) / stride + 1;
  }

  /** The type [n, rows, columns, channels] of windows over x, of x's rank. */
  TensorType over(TensorType x, long height, long width, long channels) {
    long rows = rows(height(x), height);
    return image(x, rows, columns(x.extent(-2), width), channels);
  }

  /** {@code like} with other rows, columns and channels. */
  static TensorType image(TensorType like, long rows, long columns, long channels) {
    TensorType y = like.withDim(-1, Dim.of(channels)).withDim(-2, Dim.of(columns));
    return like.rank() == 4 ? y.withDim(1, Dim.of(rows)) : y;
  }
}
