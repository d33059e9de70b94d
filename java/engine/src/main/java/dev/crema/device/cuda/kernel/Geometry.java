package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.Convolution.Direction;
import dev.crema.memory.ElementType;

/**
 * The extents of a convolution of images or, as images of one row, sequences.
 *
 * @param bottom padding below that the output needs; negative: rows that no window reaches
 */
record Geometry(
    int examples,
    int height,
    int width,
    int channels,
    int tapRows,
    int tapColumns,
    int outputs,
    int rows,
    int columns,
    int strideHeight,
    int strideWidth,
    int dilationHeight,
    int dilationWidth,
    int top,
    int left,
    int bottom,
    int right,
    int groups,
    ElementType type) {
  private static final int THREADS = 256;

  /**
   * @param x [n, h, w, channels] or [n, l, channels]
   * @param kernel [kh, kw, channels / groups, outputs] or [k, channels / groups, outputs]
   * @param y [n, rows, columns, outputs] or [n, ol, outputs]
   */
  static Geometry of(Call c, Operand x, Operand kernel, Operand y) {
    boolean image = x.rank() == 4;
    int height = image ? at(x, 1) : 1;
    int width = at(x, -2);
    int tapRows = image ? at(kernel, 0) : 1;
    int tapColumns = at(kernel, -3);
    int rows = image ? at(y, 1) : 1;
    int columns = at(y, -2);
    int strideHeight = (int) c.integer(0);
    int strideWidth = (int) c.integer(1);
    int dilationHeight = (int) c.integer(2);
    int dilationWidth = (int) c.integer(3);
    int top = (int) c.integer(4);
    int left = (int) c.integer(5);
    return new Geometry(
        at(x, 0),
        height,
        width,
        at(x, -1),
        tapRows,
        tapColumns,
        at(y, -1),
        rows,
        columns,
        strideHeight,
        strideWidth,
        dilationHeight,
        dilationWidth,
        top,
        left,
        needed(rows, strideHeight, tapRows, dilationHeight) - height - top,
        needed(columns, strideWidth, tapColumns, dilationWidth) - width - left,
        (int) c.integer(6),
        x.type());
  }

  private static int at(Operand o, int axis) {
    return Math.toIntExact(o.dim(axis));
  }

  /** Rows that all windows together reach over. */
  private static int needed(int windows, int stride, int taps, int dilation) {
    return (windows - 1) * stride + (taps - 1) * dilation + 1;
  }

  boolean isEmpty() {
    return examples == 0 || rows == 0 || columns == 0;
  }

  /** Whether as many windows fit when the padding is the same on both sides. */
  boolean isSymmetric() {
    return windows(height + 2 * top, tapRows, dilationHeight, strideHeight) == rows
        && windows(width + 2 * left, tapColumns, dilationWidth, strideWidth) == columns;
  }

  private static int windows(int inputs, int taps, int dilation, int stride) {
    return Math.floorDiv(inputs - (taps - 1) * dilation - 1, stride) + 1;
  }

  int paddedHeight() {
    return height + top + bottom;
  }

  int paddedWidth() {
    return width + left + right;
  }

  /** Of the images with exactly the padding that windows reach. */
  long paddedBytes() {
    return (long) type.byteSize() * examples * paddedHeight() * paddedWidth() * channels;
  }

  Convolution convolution(Direction direction, long x, long filter, long y) {
    return isSymmetric()
        ? of(direction, x, filter, y, height, width, top, left, type)
        : padded(direction, x, filter, y, type);
  }

  /** The same of images that have exactly the padding that windows reach. */
  Convolution padded(Direction direction, long x, long filter, long y, ElementType element) {
    return of(direction, x, filter, y, paddedHeight(), paddedWidth(), 0, 0, element);
  }

  private Convolution of(
      Direction direction,
      long x,
      long filter,
      long y,
      int imageHeight,
      int imageWidth,
      int down,
      int across,
      ElementType element) {
    return new Convolution(
        direction,
        x,
        filter,
        y,
        examples,
        imageHeight,
        imageWidth,
        channels,
        tapRows,
        tapColumns,
        outputs,
        rows,
        columns,
        strideHeight,
        strideWidth,
        dilationHeight,
        dilationWidth,
        down,
        across,
        groups,
        element);
  }

  /** Copies images into ones with padding. */
  void pad(Launches to, long images, long padded) {
    shift(to, images, height, width, padded, paddedHeight(), paddedWidth(), top, left);
  }

  /** Copies images out of ones with padding; what no window reaches becomes 0. */
  void crop(Launches to, long padded, long images) {
    shift(to, padded, paddedHeight(), paddedWidth(), images, height, width, -top, -left);
  }

  private void shift(
      Launches to, long from, int fromH, int fromW, long into, int h, int w, int down, int across) {
    long elements = (long) examples * h * w * channels;
    to.launch(
        "conv_layout",
        "shift_image_" + type.byteSize(),
        Math.min((elements + THREADS - 1) / THREADS, 1 << 20),
        THREADS,
        0,
        Arguments.of()
            .pointer(from)
            .pointer(into)
            .int64(examples)
            .int32(fromH)
            .int32(fromW)
            .int32(h)
            .int32(w)
            .int32(channels)
            .int32(down)
            .int32(across));
  }
}
