package dev.crema.eval.plot;

import dev.crema.eval.plot.Canvas.Anchor;
import dev.crema.eval.plot.Canvas.TextStyle;
import dev.crema.text.TerminalText;
import java.util.List;

/** Draws a {@link HeatMap} with square cells and a scale. */
final class HeatMapPainter {
  private static final int MAX_NAME = 18;
  private static final double SCALE_WIDTH = 16;
  private static final double SCALE_ROOM = 76;
  private static final int SCALE_STEPS = 64;
  private static final double MIN_LABEL = 15;

  private final Canvas canvas;
  private final HeatMap map;

  private HeatMapPainter(Canvas canvas, HeatMap map) {
    this.canvas = canvas;
    this.map = map;
  }

  static void paint(Canvas canvas, HeatMap map, Panel.Box box) {
    new HeatMapPainter(canvas, map).paint(box);
  }

  private void paint(Panel.Box box) {
    double top = box.y();
    if (!map.title().isEmpty()) {
      top += 26;
    }
    double left = box.x() + 30 + widest(map.rows()) + 8;
    double room = Math.max(1, box.right() - SCALE_ROOM - left);
    int columns = Math.max(1, map.columns().size());
    int rows = Math.max(1, map.rows().size());
    boolean turned = widest(map.columns()) > room / columns - 6;
    double below = 34 + (turned ? widest(map.columns()) + 8 : 22);
    double cell = Math.min(room / columns, Math.max(1, box.bottom() - below - top) / rows);
    double width = cell * columns;
    double height = cell * rows;
    // In the middle of the room that a square leaves.
    left += (room - width) / 2;
    turned = widest(map.columns()) > cell - 6;
    if (!map.title().isEmpty()) {
      var heading = new TextStyle(Theme.HEADING_SIZE, Theme.TEXT, true, Anchor.START, 0);
      canvas.text(TerminalText.printable(map.title()), left, box.y() + 14, heading);
    }
    Panel.Box area = new Panel.Box(left, top, width, height);
    cells(area, cell);
    names(area, cell, turned);
    var label = new TextStyle(Theme.LABEL_SIZE, Theme.TEXT, Anchor.MIDDLE);
    double nameRoom = turned ? widest(map.columns()) + 12 : 24;
    canvas.text(
        TerminalText.printable(map.xLabel()),
        area.x() + width / 2,
        area.bottom() + nameRoom + 22,
        label);
    canvas.text(
        TerminalText.printable(map.yLabel()),
        area.x() - widest(map.rows()) - 22,
        area.y() + height / 2,
        new TextStyle(Theme.LABEL_SIZE, Theme.TEXT, false, Anchor.MIDDLE, -90));
    scale(area);
  }

  private static double widest(List<String> names) {
    return names.stream()
        .mapToDouble(n -> Canvas.textWidth(name(n), Theme.TICK_SIZE))
        .max()
        .orElse(0);
  }

  private static String name(String text) {
    return TerminalText.cut(TerminalText.printable(text), MAX_NAME);
  }

  private void cells(Panel.Box area, double cell) {
    double gap = cell > 12 ? 1 : 0;
    for (int r = 0; r < map.rows().size(); r++) {
      for (int c = 0; c < map.columns().size(); c++) {
        double share = map.share(r, c);
        double x = area.x() + c * cell;
        double y = area.y() + r * cell;
        int colour = Double.isNaN(share) ? Theme.GRID : Theme.shade(share);
        canvas.rectangle(x, y, cell - gap, cell - gap, colour);
        String text = TerminalText.printable(map.text(r, c));
        double size = Math.min(15, cell * 0.42);
        double widest = Canvas.textWidth(text, size);
        size = widest > cell - 5 ? size * (cell - 5) / widest : size;
        if (size >= 7.5) {
          int ink = Theme.textOnShade(share);
          canvas.text(
              text,
              x + (cell - gap) / 2,
              y + (cell - gap) / 2 + size * 0.36,
              new TextStyle(size, ink, Anchor.MIDDLE));
        }
      }
    }
  }

  private void names(Panel.Box area, double cell, boolean turned) {
    // Small cells have every second, third … name only.
    int every = (int) Math.ceil(MIN_LABEL / cell);
    var left = new TextStyle(Theme.TICK_SIZE, Theme.FAINT_TEXT, Anchor.END);
    for (int r = 0; r < map.rows().size(); r += every) {
      double y = area.y() + (r + 0.5) * cell + 4.5;
      canvas.text(name(map.rows().get(r)), area.x() - 8, y, left);
    }
    for (int c = 0; c < map.columns().size(); c += every) {
      double x = area.x() + (c + 0.5) * cell;
      if (turned) {
        var up = new TextStyle(Theme.TICK_SIZE, Theme.FAINT_TEXT, false, Anchor.END, -90);
        canvas.text(name(map.columns().get(c)), x + 4.5, area.bottom() + 8, up);
      } else {
        var below = new TextStyle(Theme.TICK_SIZE, Theme.FAINT_TEXT, Anchor.MIDDLE);
        canvas.text(name(map.columns().get(c)), x, area.bottom() + 19, below);
      }
    }
  }

  private void scale(Panel.Box area) {
    double x = area.right() + 20;
    double step = area.height() / SCALE_STEPS;
    for (int s = 0; s < SCALE_STEPS; s++) {
      double share = 1 - (s + 0.5) / SCALE_STEPS;
      // One pixel over the next, so that no seam shows.
      double over = s < SCALE_STEPS - 1 ? 1 : 0;
      canvas.rectangle(x, area.y() + s * step, SCALE_WIDTH, step + over, Theme.shade(share));
    }
    var style = new TextStyle(Theme.TICK_SIZE, Theme.FAINT_TEXT, Anchor.START);
    for (int percent = 0; percent <= 100; percent += 50) {
      double y = area.bottom() - area.height() * percent / 100 + 4.5;
      canvas.text(percent + "%", x + SCALE_WIDTH + 6, y, style);
    }
  }
}
