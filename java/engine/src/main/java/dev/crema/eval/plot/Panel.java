package dev.crema.eval.plot;

/** One of the pictures that stand side by side in a {@link Plot}. */
public sealed interface Panel permits Axes, HeatMap {
  /** Where a panel is drawn, in pixels. */
  record Box(double x, double y, double width, double height) {
    double right() {
      return x + width;
    }

    double bottom() {
      return y + height;
    }
  }
}
