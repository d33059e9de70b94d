package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/** The rules that the poolings share. */
final class PoolTypes {
  private static final long MOST_PIXELS = Integer.MAX_VALUE / 255;

  private PoolTypes() {}

  static void requireWindow(int height, int width, Window2d w) {
    if (height < 1 || width < 1) {
      throw new ShapeException("a window must have pixels but is " + height + " by " + width);
    }
    if (w.dilationHeight() != 1 || w.dilationWidth() != 1) {
      throw new ShapeException("windows of pooling have no dilation");
    }
    if (Math.max(w.top(), w.bottom()) >= height || Math.max(w.left(), w.right()) >= width) {
      throw new ShapeException(
          "padding must be smaller than the window, "
              + height
              + " by "
              + width
              + ", so that every window holds a pixel, but is top "
              + w.top()
              + ", bottom "
              + w.bottom()
              + ", left "
              + w.left()
              + ", right "
              + w.right());
    }
  }

  static TensorType output(TensorType x, int height, int width, Window2d window) {
    if (x.rank() != 4 && x.rank() != 3) {
      throw new ShapeException("input must be [n, h, w, c] or [n, l, c] but is " + x);
    }
    return window.over(x, height, width, x.extent(-1));
  }

  static void attributes(Attributes a, int height, int width, Window2d w, boolean countPadding) {
    a.ints(height, width, w.strideHeight(), w.strideWidth(), w.top(), w.left()).bool(countPadding);
  }

  /** Refuses means of so many bytes that their sum could pass 2^31. */
  static void requireCountable(long pixels) {
    if (pixels > MOST_PIXELS) {
      throw new ShapeException(
          "the mean of " + pixels + " bytes; at most " + MOST_PIXELS + " can be summed in int32");
    }
  }

  /** [n, c] of [n, ..., c]. */
  static TensorType global(TensorType x) {
    if (x.rank() < 3) {
      throw new ShapeException("input must be [n, ..., c] with pixels between but is " + x);
    }
    if (x.elements(1, x.rank() - 1).equals(Dim.of(0))) {
      throw new ShapeException("there are no pixels in " + x);
    }
    return x.withDims(List.of(x.dim(0), x.dim(-1)));
  }
}
