package dev.crema.eval.plot;

import dev.crema.eval.plot.Canvas.Anchor;
import dev.crema.eval.plot.Canvas.TextStyle;
import dev.crema.text.TerminalText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Draws {@link Axes}: heading, legend, grid, ticks, series. */
final class AxesPainter {
  private static final double LEGEND_LINE = 22;
  private static final double SWATCH = 26;
  private static final double GAP = 18;
  private static final int MAX_NAME = 40;
  private static final int MAX_MARKED = 40;

  private final Canvas canvas;
  private final Axes axes;
  private final Axis xAxis;
  private final Axis yAxis;
  private Panel.Box area;

  private AxesPainter(Canvas canvas, Axes axes) {
    this.canvas = canvas;
    this.axes = axes;
    xAxis = axis(true);
    yAxis = axis(false);
  }

  static void paint(Canvas canvas, Axes axes, Panel.Box box) {
    new AxesPainter(canvas, axes).paint(box);
  }

  private Axis axis(boolean isX) {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    boolean integers = isX;
    boolean bars = false;
    for (Series s : axes.series()) {
      boolean isBars = s.style() == Series.Style.BARS;
      bars |= isBars;
      for (int i = 0; i < s.size(); i++) {
        if (!isShown(s, i)) {
          continue;
        }
        double value = isX ? s.x(i) : s.y(i);
        double half = isX ? s.barWidth() / 2 : 0;
        low = Math.min(low, value - half);
        high = Math.max(high, value + half);
        integers &= value == Math.rint(value) && !isBars;
      }
    }
    if (bars && !isX && low <= high && !axes.logY()) {
      low = Math.min(0, low);
      high = Math.max(0, high);
    }
    Axes.Range range = isX ? axes.xRange() : axes.yRange();
    return Axis.of(
        low,
        high,
        new Axis.Scale(
            isX ? axes.logX() : axes.logY(),
            integers,
            range == null ? null : range.low(),
            range == null ? null : range.high()));
  }

  private boolean isShown(Series s, int i) {
    return Axis.isShown(s.x(i), axes.logX()) && Axis.isShown(s.y(i), axes.logY());
  }

  private void paint(Panel.Box box) {
    double top = box.y();
    if (!axes.title().isEmpty()) {
      top += 18;
    }
    double widestTick =
        yAxis.ticks().stream()
            .mapToDouble(t -> Canvas.textWidth(yAxis.label(t), Theme.TICK_SIZE))
            .max()
            .orElse(0);
    double left = box.x() + widestTick + 10 + (axes.yLabel().isEmpty() ? 0 : 24);
    double bottom = box.bottom() - 24 - (axes.xLabel().isEmpty() ? 0 : 24);
    if (!axes.title().isEmpty()) {
      var heading = new TextStyle(Theme.HEADING_SIZE, Theme.TEXT, true, Anchor.START, 0);
      canvas.text(TerminalText.printable(axes.title()), left, top, heading);
      top += 8;
    }
    top = legend(left, top, box.right()) + 8;
    area = new Panel.Box(left, top, box.right() - left, Math.max(1, bottom - top));
    grid();
    labels(box);
    canvas.beginClip(area.x() - 5, area.y() - 5, area.width() + 10, area.height() + 10);
    for (int s = 0; s < axes.series().size(); s++) {
      series(axes.series().get(s), colour(s));
    }
    canvas.endClip();
    PointLabels places = new PointLabels(area);
    axes.series().forEach(s -> avoid(s, places));
    for (int s = axes.series().size() - 1; s >= 0; s--) {
      pointLabels(axes.series().get(s), places);
    }
  }

  /** Keeps texts off a series. */
  private void avoid(Series s, PointLabels places) {
    for (double[][] run : runs(s)) {
      boolean line = s.style() == Series.Style.LINE || s.style() == Series.Style.DASHED;
      if (line) {
        places.avoidLine(run[0], run[1]);
      }
      for (int i = 0; s.style() != Series.Style.DASHED && i < run[0].length; i++) {
        places.avoidPoint(run[0][i], run[1][i]);
      }
    }
  }

  /** Writes each point's text beside it, or not at all where there is no room. */
  private void pointLabels(Series s, PointLabels places) {
    for (int i = 0; i < s.labels().size(); i++) {
      double x = isShown(s, i) ? x(s.x(i)) : Double.NaN;
      double y = isShown(s, i) ? y(s.y(i)) : Double.NaN;
      if (s.labels().get(i).isEmpty()
          || !(x >= area.x() && x <= area.right() && y >= area.y() && y <= area.bottom())) {
        continue;
      }
      String text = TerminalText.cut(TerminalText.printable(s.labels().get(i)), MAX_NAME);
      var style = new TextStyle(Theme.TICK_SIZE, Theme.TEXT, Anchor.START);
      places
          .place(x, y, Canvas.textWidth(text, Theme.TICK_SIZE))
          .ifPresent(at -> canvas.text(text, at[0], at[1], style));
    }
  }

  private int colour(int index) {
    List<Series> all = axes.series();
    if (all.get(index).style() == Series.Style.DASHED) {
      return Theme.FAINT_TEXT;
    }
    // References take no colour of the palette.
    long before =
        all.subList(0, index).stream().filter(s -> s.style() != Series.Style.DASHED).count();
    int colour = Theme.series((int) before);
    return all.get(index).style() == Series.Style.BARS ? Theme.light(colour) : colour;
  }

  /** Draws the names in lines, and gives where they end. */
  private double legend(double left, double top, double right) {
    List<Series> named = axes.series().stream().filter(s -> !s.name().isEmpty()).toList();
    if (named.isEmpty()) {
      return top;
    }
    double x = left;
    double y = top + 15;
    for (int i = 0; i < axes.series().size(); i++) {
      Series s = axes.series().get(i);
      if (s.name().isEmpty()) {
        continue;
      }
      String name = TerminalText.cut(TerminalText.printable(s.name()), MAX_NAME);
      double width = SWATCH + 7 + Canvas.textWidth(name, Theme.LABEL_SIZE);
      if (x > left && x + width > right) {
        x = left;
        y += LEGEND_LINE;
      }
      swatch(s, x, y - 5, colour(i));
      canvas.text(
          name, x + SWATCH + 7, y, new TextStyle(Theme.LABEL_SIZE, Theme.TEXT, Anchor.START));
      x += width + GAP;
    }
    return y + 6;
  }

  private void swatch(Series s, double x, double y, int colour) {
    switch (s.style()) {
      case LINE, DASHED ->
          canvas.line(
              new double[] {x + 1, x + SWATCH - 1},
              new double[] {y, y},
              colour,
              s.style() == Series.Style.LINE ? 2.5 : 1.5,
              s.style() == Series.Style.DASHED);
      case POINTS -> canvas.circle(x + SWATCH - 8, y, 4.5, colour);
      case BARS -> canvas.rectangle(x + SWATCH - 15, y - 6, 13, 12, colour);
    }
  }

  private void grid() {
    for (double tick : xAxis.ticks()) {
      vertical(x(tick), Theme.GRID);
    }
    for (double tick : yAxis.ticks()) {
      horizontal(y(tick), Theme.GRID);
    }
    vertical(area.x(), Theme.FRAME);
    horizontal(area.bottom(), Theme.FRAME);
  }

  private void vertical(double x, int colour) {
    double[] ends = {area.y(), area.bottom()};
    canvas.line(new double[] {x, x}, ends, colour, 1, false);
  }

  private void horizontal(double y, int colour) {
    double[] ends = {area.x(), area.right()};
    canvas.line(ends, new double[] {y, y}, colour, 1, false);
  }

  private void labels(Panel.Box box) {
    var below = new TextStyle(Theme.TICK_SIZE, Theme.FAINT_TEXT, Anchor.MIDDLE);
    double free = Double.NEGATIVE_INFINITY;
    for (double tick : xAxis.ticks()) {
      String label = xAxis.label(tick);
      double half = Canvas.textWidth(label, Theme.TICK_SIZE) / 2;
      // A label that would run into the one before is left out.
      if (x(tick) - half > free) {
        canvas.text(label, x(tick), area.bottom() + 19, below);
        free = x(tick) + half + 6;
      }
    }
    var beside = new TextStyle(Theme.TICK_SIZE, Theme.FAINT_TEXT, Anchor.END);
    for (double tick : yAxis.ticks()) {
      canvas.text(yAxis.label(tick), area.x() - 8, y(tick) + 4.5, beside);
    }
    var name = new TextStyle(Theme.LABEL_SIZE, Theme.TEXT, Anchor.MIDDLE);
    if (!axes.xLabel().isEmpty()) {
      double middle = area.x() + area.width() / 2;
      canvas.text(TerminalText.printable(axes.xLabel()), middle, box.bottom() - 4, name);
    }
    if (!axes.yLabel().isEmpty()) {
      var turned = new TextStyle(Theme.LABEL_SIZE, Theme.TEXT, false, Anchor.MIDDLE, -90);
      double middle = area.y() + area.height() / 2;
      canvas.text(TerminalText.printable(axes.yLabel()), box.x() + 14, middle, turned);
    }
  }

  private double x(double value) {
    return clamp(area.x() + xAxis.position(value) * area.width());
  }

  private double y(double value) {
    return clamp(area.bottom() - yAxis.position(value) * area.height());
  }

  /** Far outside of the picture is as good as at infinity, and no renderer stumbles over it. */
  private static double clamp(double pixel) {
    return Math.min(1e5, Math.max(-1e5, pixel));
  }

  /** Its points in pixels, [x, y] of each stretch without one that cannot be shown. */
  private List<double[][]> runs(Series s) {
    double[] xs = new double[s.size()];
    double[] ys = new double[s.size()];
    int n = 0;
    List<double[][]> runs = new ArrayList<>();
    for (int i = 0; i < s.size(); i++) {
      if (isShown(s, i)) {
        xs[n] = x(s.x(i));
        ys[n++] = y(s.y(i));
        continue;
      }
      runs.add(new double[][] {Arrays.copyOf(xs, n), Arrays.copyOf(ys, n)});
      n = 0;
    }
    runs.add(new double[][] {Arrays.copyOf(xs, n), Arrays.copyOf(ys, n)});
    return runs;
  }

  private void series(Series s, int colour) {
    boolean marked = s.style() == Series.Style.LINE && s.size() <= MAX_MARKED;
    for (double[][] run : runs(s)) {
      switch (s.style()) {
        case LINE, DASHED -> {
          double[][] thin = Thinning.perPixel(run[0], run[1]);
          boolean dashed = s.style() == Series.Style.DASHED;
          canvas.line(thin[0], thin[1], colour, dashed ? 1.5 : 2.2, dashed);
          if (marked || run[0].length == 1) {
            points(run, 3, colour);
          }
        }
        case POINTS -> points(run, 4.5, colour);
        case BARS -> bars(s, run, colour);
      }
    }
  }

  private void points(double[][] run, double radius, int colour) {
    for (int i = 0; i < run[0].length; i++) {
      canvas.circle(run[0][i], run[1][i], radius, colour);
    }
  }

  private void bars(Series s, double[][] run, int colour) {
    double width = Math.max(1, s.barWidth() / (xAxis.high() - xAxis.low()) * area.width() - 2);
    double base = axes.logY() ? area.bottom() : y(0);
    for (int i = 0; i < run[0].length; i++) {
      double top = Math.min(base, run[1][i]);
      canvas.rectangle(run[0][i] - width / 2, top, width, Math.abs(base - run[1][i]), colour);
    }
  }
}
