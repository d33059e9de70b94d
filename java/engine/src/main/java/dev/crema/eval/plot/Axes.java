package dev.crema.eval.plot;

import java.util.List;
import java.util.stream.Stream;

/**
 * A panel with an x and a y axis. Immutable: each method gives a changed copy.
 *
 * @param title above the panel; may be empty
 * @param xLabel below the x axis; may be empty
 * @param yLabel beside the y axis; may be empty
 * @param logX whether the x axis is logarithmic; values that are not positive are left out then
 * @param logY the same of the y axis
 * @param xRange fixed range of the x axis, or null to show all values
 * @param yRange fixed range of the y axis, or null to show all values
 * @param series drawn in this order; each has its colour by its place
 */
public record Axes(
    String title,
    String xLabel,
    String yLabel,
    boolean logX,
    boolean logY,
    Range xRange,
    Range yRange,
    List<Series> series)
    implements Panel {
  /** Values from low to high. */
  public record Range(double low, double high) {
    public Range {
      if (!(low < high) || Double.isInfinite(low) || Double.isInfinite(high)) {
        throw new IllegalArgumentException(
            "Range: expected finite numbers, the lower first, got %s and %s.".formatted(low, high));
      }
    }
  }

  public Axes {
    series = List.copyOf(series);
    requirePositive("x", logX, xRange);
    requirePositive("y", logY, yRange);
  }

  private static void requirePositive(String axis, boolean log, Range range) {
    if (log && range != null && range.low() <= 0) {
      throw new IllegalArgumentException(
          "Axes: a logarithmic %s axis shows positive values only, got a range from %s."
              .formatted(axis, range.low()));
    }
  }

  /** Linear axes that show all values. */
  public static Axes of(String title, String xLabel, String yLabel, Series... series) {
    return new Axes(title, xLabel, yLabel, false, false, null, null, List.of(series));
  }

  /** The same with one more series. */
  public Axes add(Series more) {
    List<Series> all = Stream.concat(series.stream(), Stream.of(more)).toList();
    return new Axes(title, xLabel, yLabel, logX, logY, xRange, yRange, all);
  }

  /** The same with a logarithmic x axis. */
  public Axes withLogX() {
    return new Axes(title, xLabel, yLabel, true, logY, xRange, yRange, series);
  }

  /** The same with a logarithmic y axis. */
  public Axes withLogY() {
    return new Axes(title, xLabel, yLabel, logX, true, xRange, yRange, series);
  }

  /** The same with a fixed range of the x axis. */
  public Axes withXRange(double low, double high) {
    return new Axes(title, xLabel, yLabel, logX, logY, new Range(low, high), yRange, series);
  }

  /** The same with a fixed range of the y axis. */
  public Axes withYRange(double low, double high) {
    return new Axes(title, xLabel, yLabel, logX, logY, xRange, new Range(low, high), series);
  }
}
