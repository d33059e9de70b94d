package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;

/**
 * A convolution of images, channels last, or a gradient of one: x [n, height, width, channels],
 * filter [outputs, taps, taps, channels / groups] as cuDNN reads it, y [n, rows, columns, outputs].
 *
 * @param direction which of the three is computed from the other two
 * @param filter address of the filter, or of its gradient
 * @param type of the elements of all three: float32, bfloat16 or float16; sums are float32. Or
 *     int8, of x and filter: y is float32, and exact where sums stay below 2^24
 */
public record Convolution(
    Direction direction,
    long x,
    long filter,
    long y,
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
    int groups,
    ElementType type) {
  /** The same of other memory. */
  public Convolution at(long newX, long newFilter, long newY) {
    return new Convolution(
        direction,
        newX,
        newFilter,
        newY,
        examples,
        height,
        width,
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
        top,
        left,
        groups,
        type);
  }

  /** What is computed. */
  public enum Direction {
    /** y from x and filter. */
    FORWARD,
    /** x, or its gradient, from y's and the filter. */
    INPUT,
    /** The filter's gradient from x and y's gradient. */
    FILTER
  }
}
