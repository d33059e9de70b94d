package dev.crema.eval.plot;

import java.util.List;
import java.util.stream.IntStream;

/** Points of one name in a plot. Immutable; values that are not finite leave a gap. */
public final class Series {
  enum Style {
    LINE,
    DASHED,
    POINTS,
    BARS
  }

  private final String name;
  private final double[] x;
  private final double[] y;
  private final Style style;
  private final double barWidth;
  private final List<String> labels;

  private Series(
      String name, double[] x, double[] y, Style style, double barWidth, List<String> labels) {
    if (x.length != y.length) {
      throw new IllegalArgumentException(
          "Series %s: expected as many y as x, got %s and %s.".formatted(name, y.length, x.length));
    }
    this.name = name;
    this.x = x.clone();
    this.y = y.clone();
    this.style = style;
    this.barWidth = barWidth;
    this.labels = labels;
  }

  /** A line through the points, each marked where there are few. The arrays are copied. */
  public static Series line(String name, double[] x, double[] y) {
    return new Series(name, x, y, Style.LINE, 0, List.of());
  }

  /** A line over epochs or steps 1, 2, 3 … */
  public static Series line(String name, double[] y) {
    return line(name, IntStream.rangeClosed(1, y.length).asDoubleStream().toArray(), y);
  }

  /** A dashed grey line, for comparison. */
  public static Series reference(String name, double[] x, double[] y) {
    return new Series(name, x, y, Style.DASHED, 0, List.of());
  }

  /** Points without a line. */
  public static Series points(String name, double[] x, double[] y) {
    return new Series(name, x, y, Style.POINTS, 0, List.of());
  }

  /** Bars from 0 to y, centred at x and so wide in units of x. */
  public static Series bars(String name, double[] x, double[] y, double width) {
    return new Series(name, x, y, Style.BARS, width, List.of());
  }

  /**
   * The same with a text, which may be empty, beside each point. One that would lie on another is
   * left out: later series have theirs first, and earlier points.
   *
   * @throws IllegalArgumentException if there are not as many texts as points
   */
  public Series withLabels(List<String> texts) {
    if (texts.size() != x.length) {
      throw new IllegalArgumentException(
          "Series %s: expected a label for each of %s points, got %s."
              .formatted(name, x.length, texts.size()));
    }
    return new Series(name, x, y, style, barWidth, List.copyOf(texts));
  }

  public String name() {
    return name;
  }

  public int size() {
    return x.length;
  }

  public double x(int i) {
    return x[i];
  }

  public double y(int i) {
    return y[i];
  }

  Style style() {
    return style;
  }

  /** Empty, or one for each point. */
  List<String> labels() {
    return labels;
  }

  double barWidth() {
    return barWidth;
  }
}
